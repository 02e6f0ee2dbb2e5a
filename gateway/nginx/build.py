"""The facts about a host's nginx that its configuration depends on."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.nginx import tls_profile
from gateway.nginx.tls_profile import Version


@dataclass(frozen=True)
class Build:
    """A host's nginx, as far as its configuration depends on it."""

    version: Version
    ipv6: bool = True
    # sockets, "80" or "[::]:80" as `listen` has them, whose default server is another site's, and stays so
    foreign_defaults: frozenset[str] = frozenset()
    # the OpenSSL that nginx runs with, None where it is not known
    openssl: Version | None = None
    # whether another file sets worker_rlimit_nofile, which may stand only once
    foreign_limits: bool = False
    # the group that nginx's workers run in, None where it is not known
    group: str | None = None
    # whether another file sets the size of nginx's table of variables, which may stand only once
    foreign_variables: bool = False

    def has(self, feature: str) -> bool:
        """Whether the host understands `feature`, a key of FEATURES or OPENSSL_FEATURES in tls_profile."""
        if feature in tls_profile.OPENSSL_FEATURES:
            return self.openssl is not None and self.openssl.number >= tls_profile.OPENSSL_FEATURES[feature]
        return self.version.number >= tls_profile.FEATURES[feature]
