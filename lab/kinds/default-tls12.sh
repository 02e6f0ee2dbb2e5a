# The default of port 443, by its own word, which takes TLS 1.2 alone: every server on that port does then.
debian_nginx
certificate theirs.example
their_site default_server "ssl_protocols TLSv1.2;" | site "$sites/theirs"
