"""Host names as people write them: whether a text is one, and which one was meant."""

from __future__ import annotations

import ipaddress
import re
import unicodedata

# DNS has 253, but a file named after a host has an ending and a port as well, and 255 bytes at most.
LONGEST = 230

_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_SCHEME = re.compile(r"[a-z]+:?/+")
_QUOTES = "\"'`“”‘’「」《》<>"


def is_name(value: str) -> bool:
    """Whether it is a full DNS name in lower case."""
    labels = value.split(".")
    return len(value) <= LONGEST and len(labels) >= 2 and all(_LABEL.fullmatch(label) for label in labels)


def is_ip(value: str) -> bool:
    """Whether it is an IPv4 or IPv6 address, with or without square brackets."""
    try:
        ipaddress.ip_address(value.strip("[]"))
    except ValueError:
        return False
    return True


def plain(value: str) -> str:
    """The text without full-width characters, 。 for a dot and invisible characters, as input methods and copying add
    them."""
    text = unicodedata.normalize("NFKC", value).translate({ord("。"): ".", ord("、"): "."})
    return "".join(one for one in text if unicodedata.category(one) not in ("Cf", "Cc", "Zl", "Zp"))


def corrected(value: str) -> str | None:
    """The one host name that was meant, as it would have to be written. None where that cannot be told.

    A name in Chinese comes back as DNS knows it, in Punycode.
    """
    text = re.sub(r"\s+", "", plain(value)).strip(_QUOTES).lower().replace("\\", "/")
    text = _SCHEME.sub("", text, count=1) if _SCHEME.match(text) else text
    text = re.split(r"[/:?#]", text.lstrip("/"))[0].replace(",", ".")
    text = re.sub(r"\.{2,}", ".", text).strip(".")
    text = re.sub(r"^\*(?=\.)", "wx", text).replace("_", "-")
    try:
        name = text.encode("idna").decode("ascii")
    except UnicodeError:
        return None
    return name if is_name(name) and not name.rpartition(".")[2].isdigit() else None
