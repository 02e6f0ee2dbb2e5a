# Stands before each of the other scripts here, which run as root on a fresh host.
set -euo pipefail
export DEBIAN_FRONTEND=noninteractive
sites=/etc/nginx/sites-enabled

install_packages() {
    apt-get -qq install -y --no-install-recommends "$@" >/dev/null
}

# Debian's nginx without its welcome page; it runs and is enabled.
debian_nginx() {
    install_packages nginx
    rm -f "$sites/default"
}

# An nginx site on standard input, named $1, in force.
site() {
    cat >"$1"
    nginx -t -q && systemctl restart nginx
}

# A unit on standard input, named $1, enabled and started.
unit() {
    cat >"$1"
    systemctl daemon-reload
    systemctl enable --quiet --now "$(basename "$1")"
}

# A small program of somebody's on port $1, started by theirs.service.
python_server() {
    cat >/usr/local/lib/theirs.py <<'X'
import socket
import sys

server = socket.create_server(("", int(sys.argv[1])))
while True:
    connection, _ = server.accept()
    connection.recv(65536)
    connection.sendall(b"HTTP/1.0 200 OK\r\nContent-Length: 7\r\n\r\ntheirs\n")
    connection.close()
X
    unit /etc/systemd/system/theirs.service <<X
[Unit]
Description=A program of somebody's
[Service]
ExecStart=/usr/bin/python3 /usr/local/lib/theirs.py $1
[Install]
WantedBy=multi-user.target
X
}

# A certificate of theirs for $1 in /etc/ssl/theirs.
certificate() {
    mkdir -p /etc/ssl/theirs
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj "/CN=$1" \
        -addext "subjectAltName=DNS:$1" -keyout /etc/ssl/theirs/key.pem -out /etc/ssl/theirs/cert.pem 2>/dev/null
}

# Their site on 80 and 443; on 443 $1 is more for its listener, $2 for its server.
their_site() {
    cat <<X
server {
    listen 80;
    server_name theirs.example;
    location / { default_type text/plain; return 200 "theirs on \$host\\n"; }
}
server {
    listen 443 ssl $1;
    server_name theirs.example;
    ssl_certificate /etc/ssl/theirs/cert.pem;
    ssl_certificate_key /etc/ssl/theirs/key.pem;
    $2
    location / { default_type text/plain; return 200 "theirs on \$host\\n"; }
}
X
}

# The same, which says nowhere that it is the default.
implicit_site() {
    their_site '' ''
}

# What was built from source as $1, unpacked; it runs as the user www.
unpack_nginx() {
    tar -xzf "/opt/lab/$1.tar.gz" -C /
    useradd --system --shell /usr/sbin/nologin www
}

# The unit of somebody who builds nginx from source.
source_unit() {
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
}

# The nginx.conf of somebody who builds nginx from source.
source_conf() {
    mkdir -p /data/logs
    cat <<X
user www;
worker_processes 2;
error_log /data/logs/error.log;
events { worker_connections 1024; }
http {
    include mime.types;
    access_log /data/logs/access.log;
    server {
        listen 80;
        server_name theirs.example;
        location / { default_type text/plain; return 200 "theirs on \$host\\n"; }
        location = /nginx_status { stub_status; }
    }
}
X
}
