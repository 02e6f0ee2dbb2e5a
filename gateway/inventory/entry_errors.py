"""What pydantic finds wrong with an inventory's data, in the product's words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from pydantic import BaseModel, ValidationError

from gateway.inventory.model import UNION_TAG, Platform, SiteEntry, models_in
from gateway.problems import did_you_mean, look_alikes, nearest


def explain(error: ValidationError, model: type[BaseModel]) -> Iterator[tuple[str, str]]:
    """For each finding about `model`'s data, its place as `wecom.flag` and a text that says what would be right."""
    for detail in error.errors(include_url=False):
        kind, context = detail["type"], detail.get("ctx", {})
        # the last part of an unknown key's place is what the operator wrote, whatever it looks like
        tagged = detail["loc"][:-1] if kind == "extra_forbidden" else detail["loc"]
        location = [part for part in tagged if not str(part).startswith(UNION_TAG)] + list(detail["loc"][len(tagged) :])
        where = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location).lstrip(".")
        if kind == "extra_forbidden":
            key = str(location[-1])
            known = _fields(model, location[:-1])
            if key in _NEVER:
                yield where, _NEVER[key]
                continue
            hint = _NO_KEYS.get(key) or _belongs(key, model, location[:-1]) or did_you_mean(key, known)
            yield where, f"unknown key; {hint}"
        elif kind == "invalid_key":
            yield where, "is read by nobody; keys are text in quotes"
        elif kind == "missing":
            yield where, f"missing; {_example(model, detail['loc'][-1]) or 'it is required'}"
        elif kind == "value_error":
            text = str(context["error"])
            # of a domain it is said already
            yield where, text if where == "domain" else text + _from_a_chinese_keyboard(detail["input"])
        elif kind == "literal_error":
            text = f"{brief(detail['input'])} is not possible; right would be {context['expected']}"
            close = nearest(str(detail["input"]), re.findall(r"'([^']+)'", context["expected"]))
            yield where, f'{text}; did you mean "{close}"?' if close else text
        elif kind == "model_type":
            known = ", ".join(f'"{key}"' for key in _fields(model, location))
            yield where, f"is not a dict; right would be one with keys from {known}"
        else:
            right = _RIGHT.get(kind, "")
            if kind == "too_short":
                yield where, f"is empty; {_example(model, detail['loc'][-1]) or 'write one at least'}"
                continue
            yield where, f"{brief(detail['input'])}: {detail['msg'][0].lower()}{detail['msg'][1:]}{right}"


def _example(model: type[BaseModel], key: object) -> str | None:
    """What a key looks like: that of this model, else of any that has such a key."""
    return _EXAMPLES.get(f"{model.__name__}.{key}") or _EXAMPLES.get(str(key))


def _from_a_chinese_keyboard(value: Any) -> str:
    """Which characters of a wrong value look like others, so that the right value looks like it."""
    kinds = look_alikes(value) if isinstance(value, str) else ""
    return f"; a Chinese keyboard wrote {kinds}, type it anew" if kinds else ""


_RIGHT = {
    "int_type": "; right would be a number without quotes, 180",
    "bool_type": "; right would be True or False",
    "string_type": '; right would be text, "..." in quotes',
}
_EXAMPLES = {
    "domain": 'right would be "domain": "wx.school.edu.cn"',
    "edge": '"slb" behind a load balancer that terminates TLS, "tls" without one',
    "upstream": 'right would be "upstream": "https://paas.inner.example"',
    "email": 'right would be "email": "ops@school.edu.cn"',
    "kid": "right would be the key identifier that the certificate authority hands out",
    "hmac_key_env": 'name the environment variable that holds the secret, for example "ACME_EAB_KEY"',
    "apps": 'right would be "apps": ["bk_itsm"]',
    "envs": 'right would be "envs": ["o"]',
    "listen": 'right would be "listen": "10.0.0.5:443", an inner address of this host',
    "allow": 'right would be "allow": ["10.0.0.0/24"], the application servers\' networks',
    "Metrics.listen": 'right would be "listen": "10.0.0.5:9145", an inner address of this host',
    "Metrics.allow": 'right would be "allow": ["10.0.0.0/24"], the networks of your Prometheus',
    "routes": 'right would be "routes": [{"port": "entry", "path": "/", "upstream": "https://..."}]',
}

_DOMAIN_FOLLOWS = (
    "WeCom's trusted domain and OAuth callback domain are the site's domain, without a port; remove the key"
)
_NO_SECRETS = "a secret never stands in an inventory; remove it and set it where the app's server keeps its secrets"
# Keys that people expect in an entry, and why there are none. What explains itself has a code of its own.
_NEVER = {
    **dict.fromkeys(("secret", "corp_secret", "corpsecret", "app_secret", "agent_secret"), _NO_SECRETS),
    **dict.fromkeys(("oauth_domain", "callback_domain", "trusted_domain", "js_domain", "js_domains"), _DOMAIN_FOLLOWS),
}
_NO_KEYS = {
    "port": "ports follow from the platform's routes and the edge; remove the key",
}


def brief(value: Any) -> str:
    """The value as it stands in Python code, at most 60 characters of it."""
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


_OF_A_HOST = ("sites", "egress", "metrics", "proxy_protocol", "_sudo")


def _belongs(key: str, model: type[BaseModel], place: Sequence[int | str]) -> str | None:
    """Where a key belongs that is unknown at `place` in `model`. None where nothing in an inventory has that key."""
    if not place and (way := _way(key, model)):
        return f"it belongs into {'.'.join(way)}: {_nested([*way, key])}"
    if place and key in model.model_fields:
        return f"it belongs beside {place[0]!r}, not into it"
    if model is SiteEntry and (key in _OF_A_HOST or key.startswith("ssh_")):
        return 'it belongs to the host, beside "sites"'
    if model is SiteEntry and key in Platform.model_fields:
        return "it belongs to the platform, in group_data/all.py"
    if model is Platform and key in SiteEntry.model_fields:
        return "it belongs into each site's dict, in the inventory"
    return None


def _way(key: str, model: type[BaseModel]) -> list[str]:
    """The keys that lead from `model` to a model inside it that has `key`. Empty where none has it."""
    for name, info in model.model_fields.items():
        for inner in models_in(info.annotation):
            if key in inner.model_fields:
                return [name]
            if way := _way(key, inner):
                return [name, *way]
    return []


def _nested(keys: Sequence[str]) -> str:
    """`"bk": {"apps": ...}`"""
    first, *rest = keys
    return f'"{first}": ' + (f"{{{_nested(rest)}}}" if rest else "...")


def _fields(model: type[BaseModel], location: Iterable[int | str]) -> Iterable[str]:
    """The known keys at a place inside `model`."""
    for part in location:
        info = model.model_fields.get(str(part))
        nested = models_in(info.annotation) if info else []
        if nested:
            model = nested[0]
    return model.model_fields
