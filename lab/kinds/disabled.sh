# Debian's nginx as installed, stopped and disabled.
install_packages nginx
systemctl disable --quiet --now nginx
