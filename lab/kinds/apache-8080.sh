# Apache on a port that a gateway does not need.
install_packages apache2
echo "theirs" >/var/www/html/index.html
sed -i 's/^Listen 80$/Listen 8080/' /etc/apache2/ports.conf
sed -i 's/:80>/:8080>/' /etc/apache2/sites-available/000-default.conf
systemctl restart apache2
