# What the stand-ins need: all of Python's library, and nginx and HAProxy for load balancers.
export DEBIAN_FRONTEND=noninteractive
printf '#!/bin/sh\nexit 101\n' > /usr/sbin/policy-rc.d
chmod 0755 /usr/sbin/policy-rc.d
apt-get -qq install -y --no-install-recommends python3 nginx-light haproxy
rm -f /usr/sbin/policy-rc.d
apt-get clean
