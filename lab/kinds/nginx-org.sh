# nginx.org's package, as installed: conf.d alone, with the welcome page in it.
apt-get -qq install -y /opt/lab/nginx-org.deb >/dev/null
