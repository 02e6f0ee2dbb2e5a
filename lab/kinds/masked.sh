# Debian's nginx, which its owner forbade to run.
debian_nginx
systemctl disable --quiet --now nginx
systemctl mask --quiet nginx
