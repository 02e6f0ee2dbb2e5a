# Debian's Prometheus and node exporter, for tests of alerts.
export DEBIAN_FRONTEND=noninteractive
printf '#!/bin/sh\nexit 101\n' > /usr/sbin/policy-rc.d
chmod 0755 /usr/sbin/policy-rc.d
apt-get -qq update
apt-get -qq install -y --no-install-recommends prometheus prometheus-node-exporter
rm -f /usr/sbin/policy-rc.d
apt-get clean
