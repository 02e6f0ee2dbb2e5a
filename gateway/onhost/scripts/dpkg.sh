# Run by dpkg before ("lower") and after ("raise") it works on packages. nginx.conf is a conffile: while it differs from
# what its package brought, dpkg asks which one to keep when another one comes, and stops where nobody answers. So where
# it differs by the number of connections alone, it is as the package brought it while dpkg is at work.
[ -n "$(including_links)" ] || exit 0
# A deploy leaves nginx.conf alone meanwhile.
exec 9>>"$home/.lock"
flock -w 60 9
text=$(mktemp /run/wecom-gateway.XXXXXX)
trap 'rm -f -- "$text"' EXIT
# The process ids of nginx's workers before dpkg began. Others were started since, with the smaller number.
workers=/run/wecom-gateway-workers

present_workers() {
    cat /proc/"$(master_pid)"/task/*/children
}

case $1 in
    lower)
        lower_connections <"$main_file" >"$text"
        cmp -s "$text" "$main_file" && exit 0
        is_shipped <"$text" || exit 0
        [ -e $workers ] || present_workers >$workers 2>/dev/null || true
        replace_nginx_conf "$text"
        ;;
    raise)
        if is_shipped <"$main_file"; then
            raise_connections <"$main_file" >"$text"
            cmp -s "$text" "$main_file" || replace_nginx_conf "$text"
        fi
        [ -e $workers ] || exit 0
        if nginx_runs && [ "$(present_workers 2>/dev/null)" != "$(<$workers)" ]; then
            # In the middle of an upgrade the configuration may not load; the next call reloads it then.
            run_nginx -t -q 2>/dev/null || exit 0
            reload_nginx
        fi
        rm -f $workers
        ;;
esac
