# The default of its ports because it is alone there; in sites-enabled, which is included after conf.d.
debian_nginx
certificate theirs.example
implicit_site | site "$sites/theirs"
