# nginx from source with a unit written by hand, where a package would put its own.
unpack_nginx source
source_conf >/usr/local/nginx/conf/nginx.conf
unit /usr/lib/systemd/system/nginx.service <<'X'
[Unit]
Description=nginx
After=network.target
[Service]
Type=forking
PIDFile=/usr/local/nginx/logs/nginx.pid
ExecStart=/usr/local/nginx/sbin/nginx
ExecReload=/usr/local/nginx/sbin/nginx -s reload
ExecStop=/usr/local/nginx/sbin/nginx -s quit
[Install]
WantedBy=multi-user.target
X
