# nginx 1.18 from source with few modules, sites in a folder of its own choice, and a unit written by hand.
unpack_nginx source-1.18
source_conf | sed 's/^}$/    include vhosts\/*.conf;\n}/' >/usr/local/nginx/conf/nginx.conf
mkdir /usr/local/nginx/conf/vhosts
certificate theirs.example
cat >/usr/local/nginx/conf/vhosts/second.conf <<'X'
server {
    listen 443 ssl;
    server_name theirs.example;
    ssl_certificate /etc/ssl/theirs/cert.pem;
    ssl_certificate_key /etc/ssl/theirs/key.pem;
    location / { default_type text/plain; return 200 "theirs on $host\n"; }
}
X
source_unit
