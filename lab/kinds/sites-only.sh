# Debian's nginx whose owner took conf.d out of nginx.conf.
debian_nginx
sed -i '/conf\.d/d' /etc/nginx/nginx.conf
certificate theirs.example
implicit_site | site "$sites/theirs"
