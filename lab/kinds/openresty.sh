# OpenResty in its own folder, with its own unit and its sites in conf/conf.d.
unpack_nginx openresty
conf=/usr/local/openresty/nginx/conf
mkdir $conf/conf.d
cat >$conf/nginx.conf <<'X'
worker_processes 2;
events { worker_connections 1024; }
http {
    include mime.types;
    server {
        listen 80 default_server;
        server_name localhost;
        location / { root html; index index.html; }
    }
    include conf.d/*.conf;
}
X
cat >$conf/conf.d/theirs.conf <<'X'
server {
    listen 80;
    server_name theirs.example;
    location / { default_type text/plain; return 200 "theirs on $host\n"; }
}
X
unit /usr/lib/systemd/system/openresty.service <<'X'
[Unit]
Description=The OpenResty Application Platform
After=syslog.target network-online.target remote-fs.target nss-lookup.target
[Service]
Type=forking
PIDFile=/usr/local/openresty/nginx/logs/nginx.pid
ExecStartPre=/usr/local/openresty/nginx/sbin/nginx -t -q -g 'daemon on; master_process on;'
ExecStart=/usr/local/openresty/nginx/sbin/nginx -g 'daemon on; master_process on;'
ExecReload=/usr/local/openresty/nginx/sbin/nginx -g 'daemon on; master_process on;' -s reload
ExecStop=-/sbin/start-stop-daemon --quiet --stop --retry QUIT/5 --pidfile /usr/local/openresty/nginx/logs/nginx.pid
TimeoutStopSec=5
KillMode=mixed
[Install]
WantedBy=multi-user.target
X
