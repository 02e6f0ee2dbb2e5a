# Debian's nginx, run by somebody's own unit while nginx.service is stopped and disabled.
debian_nginx
certificate theirs.example
implicit_site | site "$sites/theirs"
systemctl disable --quiet --now nginx
unit /etc/systemd/system/theirs-web.service <<'X'
[Unit]
Description=nginx under a supervisor
[Service]
ExecStart=/usr/sbin/nginx -g 'daemon off;'
Restart=always
[Install]
WantedBy=multi-user.target
X
