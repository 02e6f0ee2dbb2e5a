"""What directives of a hand-written configuration mean for a site: data."""

from __future__ import annotations

from fnmatch import fnmatchcase
from functools import cache

from gateway.adopt.directives import Placed


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Read elsewhere in this room, or without a meaning where a site stands.
READ = _names(
    "listen server_name location root alias index include autoindex try_files internal default_type types "
    "ssl_certificate ssl_certificate_key client_max_body_size proxy_read_timeout proxy_send_timeout proxy_pass "
    "proxy_set_header set_real_ip_from real_ip_header real_ip_recursive allow deny proxy_ssl_name "
    "proxy_ssl_server_name proxy_ssl_verify proxy_ssl_verify_depth proxy_ssl_trusted_certificate set http2 ssl "
    "resolver resolver_timeout return rewrite if break satisfy log_not_found log_subrequest "
    "rewrite_log autoindex_exact_size autoindex_localtime autoindex_format"
)

# What the gateway says itself, for all sites alike.
SAID = _names(
    "ssl_protocols ssl_ciphers ssl_prefer_server_ciphers ssl_session_cache ssl_session_timeout ssl_session_tickets "
    "ssl_session_ticket_key ssl_password_file ssl_dhparam ssl_ecdh_curve ssl_stapling ssl_stapling_verify "
    "ssl_trusted_certificate ssl_early_data ssl_buffer_size ssl_conf_command ssl_reject_handshake access_log "
    "error_log server_tokens server_name_in_redirect port_in_redirect absolute_redirect large_client_header_buffers "
    "client_header_timeout client_header_buffer_size merge_slashes underscores_in_headers ignore_invalid_headers "
    "keepalive_requests proxy_http_version proxy_redirect proxy_cookie_domain proxy_cookie_path proxy_connect_timeout "
    "proxy_next_upstream proxy_next_upstream_tries proxy_next_upstream_timeout proxy_buffering proxy_buffer_size "
    "proxy_buffers proxy_busy_buffers_size proxy_headers_hash_max_size proxy_headers_hash_bucket_size "
    "proxy_ssl_protocols proxy_ssl_ciphers proxy_ssl_session_reuse proxy_ssl_conf_command proxy_socket_keepalive "
    "error_page http2_max_concurrent_streams http2_chunk_size http3 http3_hq quic_retry quic_gso"
)

# What no site can have; the server block stays as it is.
_BLOCKING = (
    ("fastcgi_pass uwsgi_pass scgi_pass", "runs a program such as PHP; a route passes on to http or https"),
    ("grpc_pass memcached_pass", "passes on by another protocol; a route passes on to http or https"),
    ("*_by_lua *_by_lua_block *_by_lua_file lua_* js_* perl perl_*", "is code; no entry has any"),
    ("auth_basic auth_request auth_jwt", "asks visitors to log in, which WeCom cannot; no key says it"),
    ("ssl_client_certificate ssl_verify_client", "asks visitors for a certificate, which phones do not have"),
    ("proxy_ssl_certificate proxy_ssl_certificate_key", "shows the upstream a certificate; no key says it"),
    ("rewrite", "changes paths in steps; no key of an entry says it"),
    ("if", "decides by a condition; no key of an entry says it"),
    ("mirror post_action", "sends requests a second time"),
    ("dav_methods create_full_put_path", "lets visitors write files"),
    ("limit_except", "treats methods differently; no key says it"),
    ("proxy_method proxy_set_body proxy_store", "changes or keeps what is passed on; no key says it"),
    ("proxy_pass_request_headers proxy_pass_request_body", "holds back a part of requests; no key says it"),
    ("proxy_bind", "asks upstreams from a certain address; no key says it"),
    ("include", "is not in the source, so nobody knows what is in it; name all files, as `nginx -T` does"),
)


def blocking(one: Placed) -> str:
    """Why a server block with that directive cannot be a site, "" where it can."""
    if one.first == "off" or (one.first == "on" and one.name.startswith("proxy_pass_request")):
        return ""
    return _why(one.name)


@cache
def _why(name: str) -> str:
    return next((why for names, why in _BLOCKING if any(fnmatchcase(name, each) for each in names.split())), "")
