# A Debian server whose owner installed $PACKAGES: they are as their packages leave them, and start at a boot. No gateway.
export DEBIAN_FRONTEND=noninteractive
printf '#!/bin/sh\nexit 101\n' > /usr/sbin/policy-rc.d
chmod 0755 /usr/sbin/policy-rc.d
apt-get -qq update
# One word each, with what is recommended, as a deploy installs them.
# shellcheck disable=SC2086
apt-get -qq install -y $PACKAGES
rm -f /usr/sbin/policy-rc.d
apt-get clean
