# From a registry's slim image to what mmdebstrap makes: a small Debian server.
export DEBIAN_FRONTEND=noninteractive
# Container images keep apt from caching and services from starting; a server does neither.
rm -f /etc/apt/apt.conf.d/docker-*
apt-get -qq update
# One word each.
# shellcheck disable=SC2086
apt-get -qq install -y --no-install-recommends $PACKAGES
rm -f /usr/sbin/policy-rc.d
apt-get clean
