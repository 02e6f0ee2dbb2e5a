# nginx.conf includes a file that includes conf.d.
debian_nginx
sed -i 's#include /etc/nginx/conf.d/\*.conf;#include /etc/nginx/http.conf;#' /etc/nginx/nginx.conf
echo 'include /etc/nginx/conf.d/*.conf;' >/etc/nginx/http.conf
certificate theirs.example
implicit_site | site "$sites/theirs"
