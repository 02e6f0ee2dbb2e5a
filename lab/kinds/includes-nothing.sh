# Debian's nginx whose owner wrote everything into nginx.conf, with brackets in quotes, comments and variables.
debian_nginx
certificate theirs.example
cat >/etc/nginx/nginx.conf <<'CONF'
user www-data;
pid /run/nginx.pid;
events { worker_connections 512; } # http { }
http {
    log_format mine '{"a": "$remote_addr"}'; # }
    map $uri $x { default "}"; }
    server {
        listen 80;
        listen 443 ssl;
        server_name theirs.example;
        ssl_certificate /etc/ssl/theirs/cert.pem;
        ssl_certificate_key /etc/ssl/theirs/key.pem;
        location / { return 200 "theirs ${host}\n"; }
    }
}
# the end
CONF
nginx -t -q && systemctl restart nginx
