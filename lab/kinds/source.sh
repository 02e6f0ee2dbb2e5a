# nginx from source with a unit written by hand, where a package would put its own.
unpack_nginx source
source_conf >/usr/local/nginx/conf/nginx.conf
source_unit
