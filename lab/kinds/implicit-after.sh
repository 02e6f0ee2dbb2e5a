# The default of its ports because it is alone there; in conf.d, in a file that sorts after the gateway's.
debian_nginx
certificate theirs.example
implicit_site | site /etc/nginx/conf.d/zzz.conf
