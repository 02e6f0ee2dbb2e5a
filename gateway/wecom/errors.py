"""WeCom's errors that stop a login, a page, a menu or a message: what each means, who can change it, what to change."""

from __future__ import annotations

from gateway.wecom.codes_apps import APPS
from gateway.wecom.codes_jssdk import JSSDK
from gateway.wecom.codes_login import LOGIN
from gateway.wecom.codes_messages import MESSAGES
from gateway.wecom.codes_receivers import RECEIVERS
from gateway.wecom.console import CONSOLE
from gateway.wecom.meaning import Meaning

# By code, or by a key of this product's own where WeCom has words alone.
MEANINGS: dict[str, Meaning] = {**LOGIN, **JSSDK, **APPS, **MESSAGES, **RECEIVERS, **CONSOLE}
