# Apache on port 80, and an nginx that somebody installed, stopped and disabled.
debian_nginx
systemctl disable --quiet --now nginx
install_packages apache2
echo "theirs" >/var/www/html/index.html
systemctl restart apache2
