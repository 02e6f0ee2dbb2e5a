"""The texts of the gateway's own error pages, and the statuses that have one: data."""

from __future__ import annotations

from collections.abc import Mapping

# Texts by the statuses that they are for.
TEXTS: Mapping[tuple[str, ...], Mapping[str, str]] = {
    ("default",): {
        "en": "This request cannot be answered.",
        "zh": "无法处理该请求",
    },
    ("404",): {
        "en": "There is nothing at this address.",
        "zh": "页面不存在",
    },
    ("413",): {
        "en": "The upload is larger than allowed here.",
        "zh": "上传的内容超过大小限制",
    },
    ("414",): {
        "en": "This address is too long.",
        "zh": "地址过长",
    },
    ("431",): {
        "en": "The browser sends too much, cookies most likely. Please clear those of this site and try again.",
        "zh": "浏览器发送的请求头过大，请清除本网站的 Cookie 后重试",
    },
    ("429",): {
        "en": "Too many people at once. Please try again in a moment.",
        "zh": "访问人数过多，请稍后再试",
    },
    ("500", "502", "503"): {
        "en": "The service cannot be reached at the moment. Please try again in a few minutes.",
        "zh": "服务暂时无法访问，请几分钟后再试",
    },
    ("504",): {
        "en": "The service took too long to answer. Please try again in a few minutes.",
        "zh": "服务响应超时，请几分钟后再试",
    },
}
# Where some site is not for everybody.
FOR_STRANGERS: Mapping[tuple[str, ...], Mapping[str, str]] = {
    ("403",): {
        "en": "This site can be used from certain networks only.",
        "zh": "当前网络不能访问本网站",
    },
}
CODES = (403, 404, 411, 412, 413, 416, 421, 429, 500, 502, 503, 504)
# Statuses that nginx may answer before it has read a request. 405 is for CONNECT and TRACE, and for what is no GET of
# a file; 495 to 497 are nginx's own kinds of 400.
UNREAD_CODES = (400, 405, 495, 496, 497, 501, 505)
