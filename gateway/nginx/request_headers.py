"""Request headers that a client may not send to an upstream: data."""

from __future__ import annotations

# Headers that inner systems trust, as their own proxy sets them; a client's are dropped.
# X-Bkapi-*: nginx has no wildcard for these, so those are listed that BlueKing's gateway and apps read.
STRIPPED = (
    "Forwarded",
    "Proxy",
    "Proxy-Connection",
    "Proxy-Path",
    "Staffname",
    "X-Bkapi-App",
    "X-Bkapi-App-Code",
    "X-Bkapi-Authorization",
    "X-Bkapi-From",
    "X-Bkapi-Jwt",
    "X-Bkapi-Request-Id",
    "X-Bkapi-Token",
    "X-Bkapi-User",
    "X-Bkapi-Username",
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
    "X-Url-Scheme",
)
