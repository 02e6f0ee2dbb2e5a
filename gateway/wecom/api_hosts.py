"""The names of WeCom's API: data."""

from __future__ import annotations

WECOM_API = ("api.weixin.qq.com", "qyapi.weixin.qq.com")
