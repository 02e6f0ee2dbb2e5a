# Makes release $1 the one in force: test, switch, reload, ask the running nginx; else all the way back.
release=$1
take_lock
# A cut connection must not stop this halfway.
trap '' HUP PIPE
[ -f "$home/releases/$release/gateway.conf" ] || fail "release $release is not on this host; deploy again"

was_active=no
systemctl is-active --quiet nginx && was_active=yes
remove_stock=no
is_stock_site && remove_stock=yes

# nginx -t on the configuration as it would be: the host's own, seen through links, with the candidate in place
# of the release in force. Nothing that a restart of nginx could pick up has changed.
test_candidate() {
    local shadow=$1 path
    mkdir "$shadow/conf.d"
    for path in "$nginx_home"/*; do
        case ${path##*/} in
            nginx.conf | conf.d) ;;
            sites-enabled) [ $remove_stock = yes ] || ln -s "$path" "$shadow/" ;;
            *) ln -s "$path" "$shadow/" ;;
        esac
    done
    if [ $remove_stock = yes ]; then
        mkdir "$shadow/sites-enabled"
        find "$nginx_home/sites-enabled" -mindepth 1 ! -name default -exec ln -s -t "$shadow/sites-enabled" {} +
    fi
    find "$nginx_home/conf.d" -mindepth 1 ! -name "${entry##*/}" -exec ln -s -t "$shadow/conf.d" {} +
    ln -s "$home/releases/$release/gateway.conf" "$shadow/conf.d/${entry##*/}"
    sed "s#$nginx_home/#$shadow/#g" "$nginx_home/nginx.conf" >"$shadow/nginx.conf"
    nginx -t -q -c "$shadow/nginx.conf" 2>&1 | sed "s#$shadow/#$nginx_home/#g"
}
shadow=$(mktemp -d /run/wecom-gateway.XXXXXX)
trap 'rm -rf -- "$shadow"' EXIT
if ! found=$(test_candidate "$shadow"); then
    if ! present=$(nginx -t -q 2>&1); then
        fail "nginx's configuration on this host is broken already, without this release; mend it first:
$present"
    fi
    fail "nginx refuses the new release; the old one goes on:
$found"
fi

point_to() {
    ln -sfn "$1" "$home/.current.new"
    mv -T "$home/.current.new" "$home/current"
}
tell_nginx() {
    if systemctl is-active --quiet nginx; then systemctl reload nginx; else systemctl start nginx; fi
}
serves() {
    local tries
    for tries in $(seq 50); do
        [ "$(running_release)" = "$1" ] && return 0
        sleep 0.2
    done
    return 1
}

previous=$(readlink "$home/current" || true)
error_log=/var/log/nginx/error.log
log_before=$(stat -c %s "$error_log" 2>/dev/null || echo 0)

rm -f "$home/activated"
[ $remove_stock = no ] || rm -f "$stock_site"
point_to "releases/$release"
ln -sfn ../wecom-gateway/current/gateway.conf "$entry.new"
mv -T "$entry.new" "$entry"

if tell_nginx && serves "$release"; then
    systemctl is-enabled --quiet nginx || systemctl enable --quiet nginx
    echo "$release" >"$home/activated.new"
    mv "$home/activated.new" "$home/activated"
    # Five releases are kept; keys of removed sites go with the older ones.
    touch "$home/releases/$release"
    ls -1t "$home/releases" | tail -n +6 | while read -r old; do
        [ "releases/$old" = "$(readlink "$home/current")" ] || rm -rf -- "$home/releases/$old"
    done
    exit 0
fi

if [ -n "$previous" ] && [ -f "$home/$previous/gateway.conf" ]; then
    point_to "$previous"
    echo "${previous##*/}" >"$home/activated"
else
    rm -f "$entry" "$home/current"
fi
[ $remove_stock = no ] || ln -s "$nginx_home/sites-available/default" "$stock_site"
if [ $was_active = yes ]; then tell_nginx || true; else systemctl stop nginx || true; fi
fail "the running nginx did not take release $release within 10 seconds; ${previous:-what was there before} is in \
force again. The end of $error_log:
$(tail -c +$((log_before + 1)) "$error_log" 2>/dev/null | tail -n 15)"
