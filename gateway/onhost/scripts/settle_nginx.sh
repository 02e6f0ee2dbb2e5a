# Run after nginx was installed: the host boots without it until a release is in force, which enables it.
systemctl disable --quiet "$nginx_unit"
systemctl stop "$nginx_unit"
let_nginx_start
