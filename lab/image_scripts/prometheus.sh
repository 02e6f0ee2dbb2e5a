# Debian's Prometheus, for tests of alerts.
export DEBIAN_FRONTEND=noninteractive
printf '#!/bin/sh\nexit 101\n' > /usr/sbin/policy-rc.d
chmod 0755 /usr/sbin/policy-rc.d
apt-get -qq update
apt-get -qq install -y --no-install-recommends prometheus
rm -f /usr/sbin/policy-rc.d
apt-get clean
