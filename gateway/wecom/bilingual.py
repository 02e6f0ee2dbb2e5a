"""Texts in Chinese and English, and the names of those who have something to do."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Text:
    """One text in both languages."""

    zh: str
    en: str


ADMIN = Text("企业微信管理员", "WeCom administrator")
NETWORK = Text("学校网络团队", "school's network team")
PLATFORM = Text("平台方", "platform")
APPLICATION = Text("应用负责方", "those who run the application")
OPERATOR = Text("网关运维", "gateway operator")
