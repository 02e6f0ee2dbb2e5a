# An ACME server for tests, from Debian.
export DEBIAN_FRONTEND=noninteractive
apt-get -qq update
apt-get -qq install -y --no-install-recommends pebble
apt-get clean
