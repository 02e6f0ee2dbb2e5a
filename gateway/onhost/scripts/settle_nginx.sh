# After nginx was installed: it is enabled when a release is in force, and until then the host boots as before.
systemctl disable --quiet nginx
systemctl stop nginx
let_nginx_start
