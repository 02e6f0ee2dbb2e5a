"""What TLS at the edge offers, and from which version on nginx and OpenSSL have a feature: data.

Cipher, protocol and group lists are Mozilla's "intermediate" server-side TLS guideline, version 6.0
(https://wiki.mozilla.org/Security/Server_Side_TLS). Versions are those in which nginx's own change log
(https://nginx.org/en/CHANGES) or OpenSSL's (https://openssl-library.org/news/) introduces the feature.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

PROTOCOLS = ("TLSv1.2", "TLSv1.3")
# Where OpenSSL is too old for the newer one.
OLD_PROTOCOLS = ("TLSv1.2",)
CIPHERS = (
    "ECDHE-ECDSA-AES128-GCM-SHA256",
    "ECDHE-RSA-AES128-GCM-SHA256",
    "ECDHE-ECDSA-AES256-GCM-SHA384",
    "ECDHE-RSA-AES256-GCM-SHA384",
    "ECDHE-ECDSA-CHACHA20-POLY1305",
    "ECDHE-RSA-CHACHA20-POLY1305",
)
CURVES = ("X25519", "prime256v1", "secp384r1")
# Where OpenSSL has it: who records traffic today cannot decrypt it later with a quantum computer.
HYBRID_CURVES = ("X25519MLKEM768", *CURVES)
# Where OpenSSL is too old for the first one.
OLD_CURVES = CURVES[1:]

_VERSION = re.compile(r"(\d{1,3})\.(\d{1,3})\.(\d{1,3})")


@dataclass(frozen=True)
class Needs:
    """What an nginx must have for a feature: versions that introduced it, and what it was built with."""

    nginx: tuple[int, int, int] = (0, 0, 0)
    openssl: tuple[int, int, int] = (0, 0, 0)
    built_with: frozenset[str] = frozenset()


_HTTP2 = frozenset({"http_v2_module"})

FEATURES: dict[str, Needs] = {
    # refuses a handshake for an unknown name instead of answering it with some certificate
    "reject_handshake": Needs(nginx=(1, 19, 4), openssl=(1, 1, 1)),
    # a trust directory that is read on demand; before, every location parses the whole bundle again
    "trust_directory": Needs(nginx=(1, 19, 4), openssl=(1, 0, 2), built_with=frozenset({"ssl_conf_command"})),
    "http2": Needs(built_with=_HTTP2),
    # http2 as a directive of the server; before, a flag of `listen`
    "http2_directive": Needs(nginx=(1, 25, 1), built_with=_HTTP2),
    # session ticket keys in a shared cache are rotated
    "ticket_rotation": Needs(nginx=(1, 23, 2)),
    # HTTP/2 has the same limits for header lines as HTTP/1.1; before, limits of its own
    "one_header_limit": Needs(nginx=(1, 19, 7)),
    # certificates named by a variable are kept in memory between handshakes
    "certificate_cache": Needs(nginx=(1, 27, 4)),
    # what the workers have found out about an upstream's nodes is shared among them
    "upstream_zone": Needs(built_with=frozenset({"http_upstream_zone_module"})),
    "gzip": Needs(built_with=frozenset({"http_gzip_module"})),
    "auth_basic": Needs(built_with=frozenset({"http_auth_basic_module"})),
    "auth_request": Needs(built_with=frozenset({"http_auth_request_module"})),
    "realip": Needs(built_with=frozenset({"http_realip_module"})),
    "proxy_cache": Needs(built_with=frozenset({"http-cache"})),
    "upstream_keepalive": Needs(built_with=frozenset({"http_upstream_keepalive_module"})),
    "tls_1_3": Needs(openssl=(1, 1, 1)),
    "x25519": Needs(openssl=(1, 1, 0)),
    # the hybrid key exchange X25519MLKEM768; an OpenSSL without it refuses the whole list of groups
    "hybrid_groups": Needs(openssl=(3, 5, 0)),
}


@dataclass(frozen=True, order=True)
class Version:
    """A release of nginx or OpenSSL, such as 1.22.1, comparable."""

    number: tuple[int, int, int]

    @classmethod
    def parse(cls, text: str) -> Version:
        """The version in `nginx version: nginx/1.22.1` or in a Debian package version. Raises ValueError."""
        match = _VERSION.search(text)
        if not match:
            raise ValueError(f"no version in {text!r}")
        major, minor, patch = match.groups()
        return cls((int(major), int(minor), int(patch)))

    def __str__(self) -> str:
        return ".".join(map(str, self.number))
