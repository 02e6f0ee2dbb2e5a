"""What of a host's nginx decides how it is configured."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.nginx import tls_profile
from gateway.nginx.tls_profile import Version


@dataclass(frozen=True)
class Build:
    """What of a host's nginx decides how it is configured."""

    version: Version
    ipv6: bool = True
    # sockets as `listen` names them, "80" or "[::]:80", whose default is a site that is not ours; it stays that
    foreign_defaults: frozenset[str] = frozenset()
    # the OpenSSL that nginx runs with, None where it is not known
    openssl: Version | None = None
    # whether the files that a worker may open are limited elsewhere; the directive may stand only once
    foreign_limits: bool = False
    # the group that nginx's workers run in, None where it is not known
    group: str | None = None

    def has(self, feature: str) -> bool:
        """Whether the host understands `feature`, a key of FEATURES or OPENSSL_FEATURES in tls_profile."""
        if feature in tls_profile.OPENSSL_FEATURES:
            return self.openssl is not None and self.openssl.number >= tls_profile.OPENSSL_FEATURES[feature]
        return self.version.number >= tls_profile.FEATURES[feature]
