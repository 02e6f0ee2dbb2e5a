# Run after nginx was installed: the host boots without it until a release is in force, which enables it.
systemctl disable --quiet nginx
systemctl stop nginx
let_nginx_start
