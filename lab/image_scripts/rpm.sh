# An RPM system without nginx, made from the bare Debian server: rpm and dnf with a repository of its own in /opt/lab/rpms,
# in which nginx has the paths, user, unit and files of RHEL's package; no apt or dpkg; the trust store is one file. Other
# packages of the repository are empty, since what they would bring is there from Debian.
export DEBIAN_FRONTEND=noninteractive
stock=/opt/lab/rpms
work=$(mktemp -d)
chmod 755 "$work"

apt-get -qq update
apt-get -qq install -y --no-install-recommends rpm dnf createrepo-c logrotate perl openssl \
    gcc libc6-dev make libpcre2-dev zlib1g-dev libssl-dev
sed -n 's/^deb /deb-src /p' /etc/apt/sources.list | head -n 1 >/etc/apt/sources.list.d/source.list
apt-get -qq update
chown _apt "$work"
# The original archive is nginx's own; those of Debian's modules are not needed.
(cd "$work" && apt-get -qq source --download-only nginx) || true
mkdir "$work/source"
tar -xzf "$(find "$work" -name 'nginx_*.orig.tar.gz')" -C "$work/source" --strip-components 1

# Debian's rpm has its database in the home folder.
mkdir -p /etc/rpm /var/lib/rpm "$stock"
echo '%_dbpath /var/lib/rpm' >/etc/rpm/macros

root=$work/root
(
    cd "$work/source"
    ./configure --prefix=/usr/share/nginx --sbin-path=/usr/sbin/nginx --modules-path=/usr/lib64/nginx/modules \
        --conf-path=/etc/nginx/nginx.conf --error-log-path=/var/log/nginx/error.log \
        --http-log-path=/var/log/nginx/access.log --http-client-body-temp-path=/var/lib/nginx/tmp/client_body \
        --http-proxy-temp-path=/var/lib/nginx/tmp/proxy --http-fastcgi-temp-path=/var/lib/nginx/tmp/fastcgi \
        --http-uwsgi-temp-path=/var/lib/nginx/tmp/uwsgi --http-scgi-temp-path=/var/lib/nginx/tmp/scgi \
        --pid-path=/run/nginx.pid --lock-path=/run/lock/subsys/nginx --user=nginx --group=nginx --with-compat \
        --with-file-aio --with-http_addition_module --with-http_auth_request_module --with-http_gunzip_module \
        --with-http_gzip_static_module --with-http_realip_module --with-http_slice_module --with-http_ssl_module \
        --with-http_stub_status_module --with-http_sub_module --with-http_v2_module --with-pcre --with-pcre-jit \
        --with-stream=dynamic --with-stream_ssl_module --with-stream_ssl_preread_module --with-threads >/dev/null
    make -s -j "$(nproc)" >/dev/null
    make -s install DESTDIR="$root" >/dev/null
)
version=$("$root/usr/sbin/nginx" -v 2>&1 | cut -d / -f 2)
rm -rf "$root/run" "$root"/etc/nginx/*.default
mkdir -p "$root/etc/nginx/conf.d" "$root/etc/nginx/default.d" "$root/etc/logrotate.d" "$root/usr/lib/systemd/system" \
    "$root/usr/share/nginx/modules" "$root/var/lib/nginx/tmp" "$root/var/log/nginx"
echo 'load_module "/usr/lib64/nginx/modules/ngx_stream_module.so";' >"$root/usr/share/nginx/modules/mod-stream.conf"
cat >"$root/etc/nginx/nginx.conf" <<'X'
# For more information on configuration, see:
#   * Official English Documentation: http://nginx.org/en/docs/
#   * Official Russian Documentation: http://nginx.org/ru/docs/

user nginx;
worker_processes auto;
error_log /var/log/nginx/error.log;
pid /run/nginx.pid;

# Load dynamic modules. See /usr/share/doc/nginx/README.dynamic.
include /usr/share/nginx/modules/*.conf;

events {
    worker_connections 1024;
}

http {
    log_format  main  '$remote_addr - $remote_user [$time_local] "$request" '
                      '$status $body_bytes_sent "$http_referer" '
                      '"$http_user_agent" "$http_x_forwarded_for"';

    access_log  /var/log/nginx/access.log  main;

    sendfile            on;
    tcp_nopush          on;
    tcp_nodelay         on;
    keepalive_timeout   65;
    types_hash_max_size 4096;

    include             /etc/nginx/mime.types;
    default_type        application/octet-stream;

    # Load modular configuration files from the /etc/nginx/conf.d directory.
    # See http://nginx.org/en/docs/ngx_core_module.html#include
    # for more information.
    include /etc/nginx/conf.d/*.conf;

    server {
        listen       80;
        listen       [::]:80;
        server_name  _;
        root         /usr/share/nginx/html;

        # Load configuration files for the default server block.
        include /etc/nginx/default.d/*.conf;

        error_page 404 /404.html;
        location = /404.html {
        }

        error_page 500 502 503 504 /50x.html;
        location = /50x.html {
        }
    }

# Settings for a TLS enabled server.
#
#    server {
#        listen       443 ssl http2;
#        listen       [::]:443 ssl http2;
#        server_name  _;
#        root         /usr/share/nginx/html;
#    }

}

X
cat >"$root/usr/lib/systemd/system/nginx.service" <<'X'
[Unit]
Description=The nginx HTTP and reverse proxy server
After=network-online.target remote-fs.target nss-lookup.target
Wants=network-online.target

[Service]
Type=forking
PIDFile=/run/nginx.pid
# Nginx will fail to start if /run/nginx.pid already exists but has the wrong
# SELinux context. This might happen when running `nginx -t` from the cmdline.
# https://bugzilla.redhat.com/show_bug.cgi?id=1268621
ExecStartPre=/usr/bin/rm -f /run/nginx.pid
ExecStartPre=/usr/sbin/nginx -t
ExecStart=/usr/sbin/nginx
ExecReload=/usr/sbin/nginx -s reload
KillSignal=SIGQUIT
TimeoutStopSec=5
KillMode=mixed
PrivateTmp=true

[Install]
WantedBy=multi-user.target
X
cat >"$root/etc/logrotate.d/nginx" <<'X'
/var/log/nginx/*.log {
    create 0640 nginx root
    daily
    rotate 10
    missingok
    notifempty
    compress
    delaycompress
    sharedscripts
    postrotate
        /bin/kill -USR1 `cat /run/nginx.pid 2>/dev/null` 2>/dev/null || true
    endscript
}
X
cat >"$work/nginx.spec" <<X
Name: nginx
Version: $version
Release: 1.el9
Epoch: 2
Summary: A high performance web server and reverse proxy server
License: BSD
AutoReqProv: no
Requires: ca-certificates, openssl, logrotate
%description
A web server.
%package mod-stream
Summary: Nginx stream modules
Requires: nginx = 2:$version
AutoReqProv: no
%description mod-stream
Stream modules.
%pre
getent group nginx >/dev/null || groupadd -r nginx
getent passwd nginx >/dev/null || useradd -r -d /var/lib/nginx -g nginx -s /sbin/nologin -c "Nginx web server" nginx
%post
[ ! -d /run/systemd/system ] || systemctl daemon-reload
%files
%config(noreplace) /etc/nginx/*
%dir /etc/nginx
%dir /etc/nginx/conf.d
%dir /etc/nginx/default.d
%config(noreplace) /etc/logrotate.d/nginx
/usr/sbin/nginx
/usr/lib/systemd/system/nginx.service
%dir /usr/share/nginx/modules
/usr/share/nginx/html
%attr(770,nginx,root) %dir /var/lib/nginx
%attr(770,nginx,root) %dir /var/lib/nginx/tmp
%attr(711,root,root) %dir /var/log/nginx
%files mod-stream
/usr/lib64/nginx/modules/ngx_stream_module.so
/usr/share/nginx/modules/mod-stream.conf
X
pack() {
    rpmbuild -bb --quiet --define "_topdir $work/build" --define "_rpmdir $stock" --define '_build_id_links none' \
        --define '__os_install_post %{nil}' --define 'debug_package %{nil}' "$@" >/dev/null
}
pack --buildroot "$root" "$work/nginx.spec"

# Packages whose files are there: name, and what else they provide.
while read -r name provides; do
    mkdir -p "$work/empty"
    cat >"$work/empty.spec" <<X
Name: $name
Version: 1
Release: 1.el9
Summary: What Debian brought
License: None
BuildArch: noarch
AutoReqProv: no
${provides:+Provides: $provides}
%description
Empty.
%files
X
    pack --buildroot "$work/empty" "$work/empty.spec"
done <<'X'
bash /bin/sh /bin/bash /usr/bin/bash /usr/bin/sh
ca-certificates
logrotate
openssl /usr/bin/openssl
perl-interpreter /usr/bin/perl perl(Fcntl)
tar
epel-release
X
createrepo_c --quiet "$stock"
mkdir -p /etc/yum.repos.d /etc/dnf/vars
echo 9 >/etc/dnf/vars/releasever
cat >/etc/yum.repos.d/lab.repo <<X
[baseos]
name=Of the lab alone
baseurl=file://$stock
enabled=1
gpgcheck=0
X
ln -sf dnf-3 /usr/bin/dnf
[ -e /usr/bin/yum ] || ln -s dnf /usr/bin/yum
dnf -q -y install bash ca-certificates tar
systemctl disable dnf-makecache.timer || true

# RHEL's trust store: one file, no folder of one file for each authority.
mkdir -p /etc/pki/tls/certs
cp /etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt
rm -rf /etc/ssl/certs /usr/local/share/ca-certificates
mkdir /etc/ssl/certs
ln -s /etc/pki/tls/certs/ca-bundle.crt /etc/ssl/certs/ca-bundle.crt

rm -f /etc/os-release
cat >/etc/os-release <<'X'
NAME="Rocky Linux"
VERSION="9.4 (Blue Onyx)"
ID="rocky"
ID_LIKE="rhel centos fedora"
VERSION_ID="9.4"
PLATFORM_ID="platform:el9"
PRETTY_NAME="Rocky Linux 9.4 (Blue Onyx)"
X
rm -rf "$work" /etc/apt /etc/dpkg /etc/debian_version /var/lib/apt /var/cache/apt /var/lib/dpkg
rm -f /usr/bin/apt /usr/bin/apt-* /usr/bin/dpkg /usr/bin/dpkg-* /usr/bin/deb-systemd-*
