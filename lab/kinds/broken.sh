# An nginx that runs, and whose nginx.conf somebody broke since; it will not start again.
debian_nginx
certificate theirs.example
implicit_site | site "$sites/theirs"
sed -i '/^http {/a nonsense on;' /etc/nginx/nginx.conf
