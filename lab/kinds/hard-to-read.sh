# Valid nginx that misleads who reads it line by line: # and braces in words, quoted ports, a stream block, and an
# include from a folder of the owner's.
debian_nginx
install_packages libnginx-mod-stream
certificate theirs.example
sed -i 's#include /etc/nginx/conf.d/\*.conf;#&\n\tinclude /srv/vhosts/*.conf;#' /etc/nginx/nginx.conf
cat >>/etc/nginx/nginx.conf <<'X'
stream {
    server { listen 9100; return "their stream\n"; }
}
X
mkdir -p /srv/vhosts
cat >/srv/vhosts/tls.conf <<'X'
server {
    listen "443" ssl default_server; server_name 'theirs.example';
    add_header X-Theirs "a { b; c } # }}" always;
    ssl_certificate "/etc/ssl/theirs/cert.pem"; ssl_certificate_key /etc/ssl/theirs/key.pem;
    location / { default_type text/plain; return 200 "theirs on $host\n"; }
}
X
cat >"$sites/nine" <<'X'
server { server_name nine.example; add_header X-Theirs "} server { listen 8443 default_server; }"; listen "9001" default_server;
    location / { default_type text/plain; return 200 "nine on $host\n"; } }
X
site "$sites/theirs" <<'X'
server { server_name theirs.example; location = /x { return 302 /#/login; } listen 80 default_server; location / { default_type text/plain; return 200 "theirs on $host\n"; } }
X
