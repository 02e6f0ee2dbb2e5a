"""Request headers that a client may not send to an upstream: data.

nginx drops a header by its whole name alone, in every version: `proxy_set_header` knows no pattern. So these are
listed, X-Bkapi-... and all, by what BlueKing's published code reads.
"""

from __future__ import annotations

# Set by proxies: where a request came from, and what it was before they changed it.
_PROXIES = (
    "Forwarded",
    "Proxy",
    "Proxy-Connection",
    "Proxy-Path",
    "X-Client-Ip",
    "X-Forwarded",
    "X-Forwarded-Port",
    "X-Forwarded-Prefix",
    "X-Forwarded-Protocol",
    "X-Forwarded-Scheme",
    "X-Forwarded-Server",
    "X-Forwarded-Ssl",
    "X-Forwarded-User",
    "X-Forwarded-Weixin-Host",
    "X-Original-Host",
    "X-Original-Uri",
    "X-Original-Url",
    "X-Rewrite-Url",
    "X-Scheme",
    "X-Script-Name",
    "X-Url-Scheme",
)

# Who calls, set by BlueKing's API gateway (blueking-apigateway-apisix) and read behind it.
_BLUEKING_CALLERS = (
    "X-Bkapi-App",
    "X-Bkapi-App-Code",
    "X-Bkapi-App-Id",
    "X-Bkapi-App-Secret",
    "X-Bkapi-Authorization",  # ESB: app code and secret
    "X-Bkapi-From",  # bk-monitor: whose key a Jwt is checked with
    "X-Bkapi-Jwt",
    "X-Bkapi-Operator",
    "X-Bkapi-Public-Key",  # bk-nodeman: the very key that a Jwt is checked with
    "X-Bkapi-Source",
    "X-Bkapi-Token",  # bk-bcs
    "X-Bkapi-User",
    "X-Bkapi-User-Id",
    "X-Bkapi-User-Name",  # bk-bscp, bk-hcm: the user, as it stands
    "X-Bkapi-Username",  # bk-bcs
)

# For whom, and what the gateway lets pass. Left alone are X-Bkapi-Language, X-Bkapi-Blueking-Language and
# X-Bkapi-File-Content-..., which browsers themselves send and which say nothing of who they are.
_BLUEKING_CALLS = (
    "X-Bkapi-Ai-Platform",
    "X-Bkapi-Ai-Skill",
    "X-Bkapi-Allowed-Headers",  # mcp-proxy: what it hands on
    "X-Bkapi-Biz-Id",  # bk-bscp
    "X-Bkapi-Debug",  # the gateway then answers with internals, a Jwt among them
    "X-Bkapi-Dynamic-Debug",
    "X-Bkapi-Instance-Id",
    "X-Bkapi-Itsmflex",
    "X-Bkapi-Mcp-Server-Id",
    "X-Bkapi-Mcp-Server-Name",
    "X-Bkapi-Permission-Action",  # bk-monitor: which permission is asked for
    "X-Bkapi-Request-Id",
    "X-Bkapi-Space-Id",  # bk-bscp
    "X-Bkapi-Space-Type-Id",
    "X-Bkapi-Tenant-Id",  # beego-runtime
    "X-Bkapi-Timeout",
    "X-Bkapi-Version",
)

# The same by other names: ESB's, those between BlueKing's services, and those of Tencent's mobile gateway.
_BLUEKING_OTHERS = (
    "Bk-App-Code",  # bk-monitor: with Bk-Username a login without a password
    "Bk-Username",
    "Bkplugin-Scope-Type",
    "Bkplugin-Scope-Value",
    "Staffid",
    "Staffname",  # blueapps: the user of a visit through the mobile gateway
    "X-Bk-App-Code",
    "X-Bk-App-Secret",
    "X-Bk-Request-Source",  # bk-monitor
    "X-Bk-Tenant-Id",
    "X-Bk-Username",
    "X-Devops-Uid",  # bk-ci
    "X-Ext-Data",
    "X-Request-Uri",  # ESB
    "X-Rio-Seq",
    "X-Tai-Identity",
)

# Headers that inner systems trust, as their own proxy sets them; a client's are dropped.
STRIPPED = (*_PROXIES, *_BLUEKING_CALLERS, *_BLUEKING_CALLS, *_BLUEKING_OTHERS)
