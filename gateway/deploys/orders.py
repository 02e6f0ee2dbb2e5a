"""Which certificates a deploy asks ACME servers for, and the secrets that it needs for that."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from gateway.deploys.issued import Issued
from gateway.inventory.site import Site

# base64url, as authorities hand out the secret of an external account binding.
_HMAC_KEY = re.compile(r"[A-Za-z0-9_-]{16,512}=*")


def due(sites: Iterable[Site], issued: Iterable[Issued], failed: Mapping[str, str]) -> list[str]:
    """Domains to ask a certificate for: the host has none, or one of another order, or the last request failed.

    `failed` are the domains whose last request or renewal failed, with the reason.
    """
    have = {one.domain: one.order for one in issued if one.not_after}
    return sorted(
        site.domain
        for site in sites
        if site.acme and (have.get(site.domain) != site.acme.order or site.domain in failed)
    )


def secrets(sites: Iterable[Site], environment: Mapping[str, str]) -> dict[str, str]:
    """The secrets of external account bindings that the environment has, by Acme.account.

    Raises ValueError where one cannot be such a secret; the text never quotes it.
    """
    found: dict[str, str] = {}
    for site in sites:
        if site.acme and site.acme.eab and (value := environment.get(site.acme.eab.hmac_key_env, "").strip()):
            if not _HMAC_KEY.fullmatch(value):
                raise ValueError(
                    f"the environment variable {site.acme.eab.hmac_key_env} holds no base64url text; "
                    "copy the HMAC key from the certificate authority's console as it stands there"
                )
            found[site.acme.account] = value
    return found
