# nginx from source without a unit of its own: rc.local starts it.
unpack_nginx source
source_conf >/usr/local/nginx/conf/nginx.conf
printf '#!/bin/sh\n/usr/local/nginx/sbin/nginx\nexit 0\n' >/etc/rc.local
chmod 755 /etc/rc.local
systemctl daemon-reload
systemctl start rc-local
