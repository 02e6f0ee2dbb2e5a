"""The facts about a host's nginx that its configuration depends on."""

from __future__ import annotations

from dataclasses import dataclass, field

from gateway.nginx import tls_profile
from gateway.nginx.layout import Layout
from gateway.nginx.tls_profile import Version

# What `without` has for an nginx whose TLS library is not OpenSSL.
SSL_CONF_COMMAND = "ssl_conf_command"
# What every system has had since 2018, for where the OpenSSL is not known.
_LIKELY_OPENSSL = (1, 1, 1)


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
    # what it was built without, of what a release can use (modules.lacking)
    without: frozenset[str] = frozenset()
    # where its program and files are
    layout: Layout = field(default_factory=Layout)

    def has(self, feature: str) -> bool:
        """Whether the host understands `feature`, a key of FEATURES in tls_profile."""
        needs = tls_profile.FEATURES[feature]
        openssl = self.openssl.number if self.openssl else _LIKELY_OPENSSL
        return self.version.number >= needs.nginx and openssl >= needs.openssl and not self.without & needs.built_with
