# Debian's Apache on port 80.
install_packages apache2
echo "theirs" >/var/www/html/index.html
