"""Host names as people write them: whether a text is one, and which one was meant."""

from __future__ import annotations

import ipaddress
import re
import unicodedata

from gateway.problems import shown

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


def checked(value: str, example: str) -> str:
    """A DNS name in lower case.

    Raises ValueError saying what kind of other thing it is, and what is right: the name inside it, or the example.
    """
    meant, without_accidents = corrected(value), plain(value)
    example = meant or example
    checks = [
        ("://" in value, "carries a scheme"),
        ("/" in value, "carries a path"),
        (meant is not None and (" " in value or "\t" in value), "has a space"),
        (
            not value.isascii() and without_accidents.isascii(),
            "has full-width or invisible characters, as Chinese input makes them",
        ),
        (not value.isascii() and meant is not None, "is in Chinese or another script; DNS knows it in Punycode"),
        ("*" in value, "is a wildcard; every sub-domain is an entry of its own"),
        ("_" in value, "has an underscore, which WeCom refuses in a trusted domain"),
        (value != value.lower(), f'has capitals; write "{value.lower()}"'),
        (value.endswith("."), "ends in a dot"),
        (is_ip(value), "is an IP address; WeCom accepts only ICP-filed domain names"),
        (":" in value, "carries a port; ports follow from the platform's routes"),
    ]
    for wrong, reason in checks:
        if wrong:
            raise ValueError(f'"{shown(value)}" {reason}; right would be "{example}"')
    if len(value) > LONGEST:
        raise ValueError(
            f'"{shown(value)}" has {len(value)} characters; at most {LONGEST} are possible, because files are '
            f'named after it; right would be "{example}"'
        )
    if not is_name(value):
        raise ValueError(
            f'"{shown(value)}" is not a full host name (labels of letters, digits and hyphens, '
            f'joined by dots); right would be "{example}"'
        )
    if value.rpartition(".")[2].isdigit():
        raise ValueError(f'"{shown(value)}" ends in a number; right would be "{example}"')
    return value
