# Stands before every other script here. They run as root under bash on the host.
set -euo pipefail
umask 077
export LC_ALL=C
# sudo's secure_path may lack the folders of root's own programs.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin${PATH:+:$PATH}

nginx_home=/etc/nginx
home=$nginx_home/wecom-gateway
entry=$nginx_home/conf.d/wecom-gateway.conf
# Included at the top of Debian's nginx.conf, outside of http.
main_entry=$nginx_home/modules-enabled/90-wecom-gateway.conf
stock_site=$nginx_home/sites-enabled/default

fail() {
    echo "wecom-gateway: $*" >&2
    exit 1
}

# Makes $1 a link to $2 in one step.
put_link() {
    ln -sfn "$2" "$1.new"
    mv -T "$1.new" "$1"
}

# One deploy at a time; the lock goes with the process, however that ends.
take_lock() {
    mkdir -p -m 755 "$home" "$home/releases" "$home/upstreams"
    exec 9>>"$home/.lock"
    flock -w 120 9 || fail "another deploy has been at work on this host for two minutes; try again later"
}

# The release that the running nginx serves, or nothing. Asked over the loopback interface because
# neither a valid configuration nor a reload that reports success says what the workers have loaded.
running_release() {
    local answer
    answer=$(timeout 2 bash -c \
        'exec 3<>/dev/tcp/127.0.0.1/19001 && printf "GET /release HTTP/1.0\r\n\r\n" >&3 && cat <&3' 2>/dev/null || true)
    echo "${answer##*$'\n'}"
}

# The signal that `systemctl reload` ends in. That one reads the whole configuration once more only to find the
# process, which takes seconds with a thousand sites; whether the reload was taken is asked afterwards anyway.
reload_nginx() {
    systemctl kill --signal=HUP --kill-who=main nginx
}

# Debian's welcome page, unchanged since the package put it there.
is_stock_site() {
    [ "$(readlink -f "$stock_site" 2>/dev/null)" = $nginx_home/sites-available/default ] || return 1
    local shipped
    shipped=$(dpkg-query -W -f '${Conffiles}\n' nginx-common 2>/dev/null \
        | awk '$1 == "/etc/nginx/sites-available/default" { print $2 }')
    [ -n "$shipped" ] && [ "$(md5sum <"$stock_site" | cut -d ' ' -f 1)" = "$shipped" ]
}

# "host address" for each address that the names in file $1 ("host port" a line) have, as nginx reads them; nothing for
# a name that does not resolve. Dead names are waited for side by side.
resolve_names() {
    local wanted=all
    # Without a way out by IPv6 its addresses are only failed attempts.
    awk '$1 ~ /^0+$/ && $2 == "00" && $NF != "lo" { found = 1 } END { exit !found }' /proc/net/ipv6_route 2>/dev/null \
        || wanted=ipv4
    cut -d ' ' -f 1 "$1" | sort -u \
        | xargs -r -P 32 -n 1 sh -c 'timeout 10 getent ahosts "$1" | cut -d " " -f 1 | sort -u | sed "s/^/$1 /"' name \
        | awk -v wanted=$wanted '$2 !~ /:/ { print } $2 ~ /:/ && wanted == "all" { print $1, "[" $2 "]" }'
}

# Writes the addresses $2, as resolve_names prints them, for the names in file $1 ("host port" a line); prints the names
# whose addresses changed. What does not resolve keeps the addresses it had; what never resolved gets one that is
# marked down, so that nginx starts and answers 502 for that upstream alone.
write_addresses() {
    local host port file lines
    while read -r host port; do
        file=$home/upstreams/${host}_$port.conf
        lines=$(awk -v host="$host" -v port="$port" '$1 == host { print "server " $2 ":" port ";" }' <<<"$2")
        if [ -z "$lines" ]; then
            [ ! -s "$file" ] || continue
            lines="server 127.0.0.1:9 down;"
        fi
        [ "$lines" != "$(cat "$file" 2>/dev/null)" ] || continue
        # Never an empty file, with which nginx would not start: a full disk or a power failure leaves the old one.
        if { echo "$lines" >"$file.new" && sync "$file.new"; } 2>/dev/null && mv "$file.new" "$file"; then
            echo "$host"
        else
            rm -f "$file.new"
            echo "wecom-gateway: the new addresses of $host cannot be stored: is the disk full?" >&2
        fi
    done <"$1"
}
