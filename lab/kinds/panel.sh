# The nginx of a panel (宝塔), with its folders and its script in init.d.
unpack_nginx panel
ln -s /www/server/nginx/sbin/nginx /usr/bin/nginx
mkdir -p /www/server/panel/vhost/nginx /www/wwwlogs /www/wwwroot/theirs.example
echo "theirs" >/www/wwwroot/theirs.example/index.html
cat >/www/server/nginx/conf/nginx.conf <<'X'
user  www www;
worker_processes auto;
error_log  /www/wwwlogs/nginx_error.log  crit;
pid        /www/server/nginx/logs/nginx.pid;
worker_rlimit_nofile 51200;
events
    {
        use epoll;
        worker_connections 51200;
        multi_accept on;
    }
http
    {
        include       mime.types;
        default_type  application/octet-stream;
        server_names_hash_bucket_size 512;
        sendfile   on;
        keepalive_timeout 60;
        access_log off;
server
    {
        listen 888;
        server_name phpmyadmin;
        root  /www/server/phpmyadmin;
    }
include /www/server/panel/vhost/nginx/*.conf;
}
X
cat >/www/server/panel/vhost/nginx/theirs.example.conf <<'X'
server
{
    listen 80;
    server_name theirs.example;
    index index.html;
    root /www/wwwroot/theirs.example;
}
X
cat >/etc/init.d/nginx <<'X'
#! /bin/sh
# chkconfig: 2345 55 25
### BEGIN INIT INFO
# Provides:          nginx
# Required-Start:    $all
# Required-Stop:     $all
# Default-Start:     2 3 4 5
# Default-Stop:      0 1 6
# Short-Description: starts the nginx web server
# Description:       starts nginx using start-stop-daemon
### END INIT INFO
NGINX_BIN=/www/server/nginx/sbin/nginx
CONFIGFILE=/www/server/nginx/conf/nginx.conf
case "$1" in
    start) echo -n "Starting nginx... "; $NGINX_BIN -c $CONFIGFILE && echo " done" ;;
    stop) echo -n "Stoping nginx... "; $NGINX_BIN -s stop && echo " done" ;;
    reload) $NGINX_BIN -s reload ;;
    restart) $0 stop; sleep 1; $0 start ;;
    *) echo "Usage: $0 {start|stop|restart|reload}"; exit 1 ;;
esac
X
chmod 755 /etc/init.d/nginx
update-rc.d nginx defaults
systemctl daemon-reload
systemctl start nginx
