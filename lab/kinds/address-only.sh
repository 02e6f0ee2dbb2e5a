# A site that listens on one address of the host's, and nobody on port 80 of every address.
debian_nginx
unit /etc/systemd/system/theirs-address.service <<'X'
[Unit]
Description=An address of somebody's
Before=nginx.service
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/ip address add 10.9.9.9/32 dev lo
[Install]
WantedBy=multi-user.target
X
site /etc/nginx/conf.d/apart.conf <<'X'
server {
    listen 10.9.9.9:80;
    server_name apart.example;
    location / { default_type text/plain; return 200 "theirs on $host\n"; }
}
X
