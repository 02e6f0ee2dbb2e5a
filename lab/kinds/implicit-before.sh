# The default of its ports because it is alone there; in conf.d, in a file that sorts before the gateway's.
debian_nginx
certificate theirs.example
implicit_site | site /etc/nginx/conf.d/aaa.conf
