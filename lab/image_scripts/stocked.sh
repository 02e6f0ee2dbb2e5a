# A bare server with what lab/kinds/ makes other hosts of in seconds: in /opt/lab nginx from source of two versions, a
# panel's, OpenResty's and nginx.org's package, in apt's cache the packages that are installed there or by a deploy. Nothing is installed yet.
export DEBIAN_FRONTEND=noninteractive
stock=/opt/lab
work=$(mktemp -d)
chmod 755 "$work"

apt-get -qq update
before=$(dpkg-query -W -f '${Package}\n' | sort)
apt-get -qq install -y --no-install-recommends gcc libc6-dev make libpcre2-dev libpcre3-dev zlib1g-dev libssl-dev
release=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)
sed -n 's/^deb /deb-src /p' /etc/apt/sources.list | head -n 1 >/etc/apt/sources.list.d/source.list
sed "s/ $release / bullseye /" /etc/apt/sources.list.d/source.list >/etc/apt/sources.list.d/older.list
apt-get -qq update
chown _apt "$work"
# An original archive is nginx's own; those of Debian's modules are not needed.
for version in $(apt-cache madison nginx | awk '/Sources/ { print $3 }'); do
    (cd "$work" && apt-get -qq source --download-only "nginx=$version") || true
done
older=nginx-1.18 newer=nginx
tar -xzf "$work"/nginx_1.18.*.orig.tar.gz -C "$work" --strip-components 1 --one-top-level=$older
tar -xzf "$(find "$work" -name 'nginx_*.orig.tar.gz' ! -name 'nginx_1.18.*')" -C "$work" --strip-components 1 --one-top-level=$newer

# Installs nginx as configured with $3 and more, from the sources in $work/$2, under $stock/$1.
build() {
    name=$1 sources=$2
    shift 2
    (
        cd "$work/$sources"
        ./configure --builddir="$work/objects-$name" "$@" >/dev/null
        make -s -j "$(nproc)" >/dev/null
        make -s install DESTDIR="$stock/$name" >/dev/null
    )
}
build source $newer --prefix=/usr/local/nginx --with-http_ssl_module --with-http_stub_status_module
# Today's compiler and OpenSSL find fault with what was right then.
build source-1.18 $older --prefix=/usr/local/nginx --with-http_ssl_module --with-http_stub_status_module --with-cc-opt=-w
build panel $newer --prefix=/www/server/nginx --user=www --group=www --with-http_ssl_module --with-http_v2_module \
    --with-http_stub_status_module
build nginx-org $newer --prefix=/etc/nginx --sbin-path=/usr/sbin/nginx --modules-path=/usr/lib/nginx/modules \
    --conf-path=/etc/nginx/nginx.conf --error-log-path=/var/log/nginx/error.log \
    --http-log-path=/var/log/nginx/access.log --pid-path=/var/run/nginx.pid --lock-path=/var/run/nginx.lock \
    --http-client-body-temp-path=/var/cache/nginx/client_temp --http-proxy-temp-path=/var/cache/nginx/proxy_temp \
    --http-fastcgi-temp-path=/var/cache/nginx/fastcgi_temp --http-uwsgi-temp-path=/var/cache/nginx/uwsgi_temp \
    --http-scgi-temp-path=/var/cache/nginx/scgi_temp --user=nginx --group=nginx --with-compat --with-file-aio \
    --with-threads --with-http_addition_module --with-http_auth_request_module --with-http_gunzip_module \
    --with-http_gzip_static_module --with-http_realip_module --with-http_slice_module --with-http_ssl_module \
    --with-http_stub_status_module --with-http_sub_module --with-http_v2_module --with-stream \
    --with-stream_realip_module --with-stream_ssl_module --with-stream_ssl_preread_module
# OpenResty names itself so, with a number of its own behind nginx's.
sed -i 's|^#define NGINX_VER .*|#define NGINX_VER "openresty/" NGINX_VERSION ".1"|' "$work/$newer/src/core/nginx.h"
build openresty $newer --prefix=/usr/local/openresty/nginx --with-http_ssl_module --with-http_v2_module \
    --with-http_realip_module --with-http_stub_status_module --with-stream --with-stream_ssl_module \
    --with-stream_ssl_preread_module

# What nginx.org's package has beside the program.
root=$stock/nginx-org
version=$("$root/usr/sbin/nginx" -v 2>&1 | cut -d / -f 2)
mkdir -p "$root/DEBIAN" "$root/etc/nginx/conf.d" "$root/lib/systemd/system" "$root/usr/lib/nginx/modules" \
    "$root/usr/share/nginx" "$root/var/cache/nginx" "$root/var/log/nginx"
rm -rf "$root/run" "$root/var/run" "$root"/etc/nginx/*.default
mv "$root/etc/nginx/html" "$root/usr/share/nginx/"
ln -s /usr/lib/nginx/modules "$root/etc/nginx/modules"
cat >"$root/etc/nginx/nginx.conf" <<'X'

user  nginx;
worker_processes  auto;

error_log  /var/log/nginx/error.log notice;
pid        /var/run/nginx.pid;


events {
    worker_connections  1024;
}


http {
    include       /etc/nginx/mime.types;
    default_type  application/octet-stream;

    log_format  main  '$remote_addr - $remote_user [$time_local] "$request" '
                      '$status $body_bytes_sent "$http_referer" '
                      '"$http_user_agent" "$http_x_forwarded_for"';

    access_log  /var/log/nginx/access.log  main;

    sendfile        on;
    #tcp_nopush     on;

    keepalive_timeout  65;

    #gzip  on;

    include /etc/nginx/conf.d/*.conf;
}
X
cat >"$root/etc/nginx/conf.d/default.conf" <<'X'
server {
    listen       80;
    server_name  localhost;

    #access_log  /var/log/nginx/host.access.log  main;

    location / {
        root   /usr/share/nginx/html;
        index  index.html index.htm;
    }

    # redirect server error pages to the static page /50x.html
    #
    error_page   500 502 503 504  /50x.html;
    location = /50x.html {
        root   /usr/share/nginx/html;
    }
}
X
cat >"$root/lib/systemd/system/nginx.service" <<'X'
[Unit]
Description=nginx - high performance web server
Documentation=https://nginx.org/en/docs/
After=network-online.target remote-fs.target nss-lookup.target
Wants=network-online.target

[Service]
Type=forking
PIDFile=/run/nginx.pid
Environment="CONFFILE=/etc/nginx/nginx.conf"
EnvironmentFile=-/etc/default/nginx
ExecStart=/usr/sbin/nginx -c ${CONFFILE}
ExecReload=/bin/sh -c "/bin/kill -s HUP $(/bin/cat /run/nginx.pid)"
ExecStop=/bin/sh -c "/bin/kill -s TERM $(/bin/cat /run/nginx.pid)"

[Install]
WantedBy=multi-user.target
X
cat >"$root/DEBIAN/control" <<X
Package: nginx
Version: $version-1~bookworm
Architecture: $(dpkg --print-architecture)
Maintainer: NGINX Packaging <nginx-packaging@example.com>
Depends: libc6, libpcre2-8-0, libssl3, zlib1g, adduser
Provides: httpd
Section: httpd
Priority: optional
Description: high performance web server
X
(cd "$root" && find etc -type f | sed 's#^#/#' >DEBIAN/conffiles)
cat >"$root/DEBIAN/postinst" <<'X'
#!/bin/sh
set -e
[ "$1" = configure ] || exit 0
getent group nginx >/dev/null || addgroup --system nginx >/dev/null
getent passwd nginx >/dev/null \
    || adduser --system --disabled-login --ingroup nginx --no-create-home --home /nonexistent --shell /bin/false nginx >/dev/null
deb-systemd-helper enable nginx.service >/dev/null
[ ! -d /run/systemd/system ] || { systemctl daemon-reload && deb-systemd-invoke start nginx.service >/dev/null; }
X
chmod 755 "$root/DEBIAN/postinst"
dpkg-deb --build --root-owner-group "$root" "$stock/nginx-org.deb" >/dev/null

for name in source source-1.18 panel openresty; do
    tar -C "$stock/$name" -czf "$stock/$name.tar.gz" .
done
rm -rf "$stock/source" "$stock/source-1.18" "$stock/panel" "$stock/openresty" "$root" "$work" \
    /etc/apt/sources.list.d/source.list /etc/apt/sources.list.d/older.list
dpkg-query -W -f '${Package}\n' | sort | comm -13 /dev/fd/3 - 3<<X | xargs apt-get -qq purge -y
$before
X
apt-get -qq update
apt-get clean
# What those built from source need where they run.
apt-get -qq install -y --no-install-recommends libpcre3
apt-get -qq install -y --no-install-recommends --download-only apache2 adduser
# With what is recommended, as a deploy installs them.
apt-get -qq install -y --download-only nginx libnginx-mod-stream certbot
