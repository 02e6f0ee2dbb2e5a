# Prints what a deploy has to know of the host, one "key value" a line. Changes nothing.
if command -v nginx >/dev/null; then
    echo "version $(nginx -v 2>&1)"
else
    echo "candidate $(apt-cache policy nginx 2>/dev/null | awk '$1 == "Candidate:" { print $2 }')"
fi
echo "ipv6 $([ -e /proc/net/if_inet6 ] && echo yes || echo no)"
echo "current $(readlink "$home/current" 2>/dev/null || true)"
echo "activated $(cat "$home/activated" 2>/dev/null || true)"
echo "entry $(readlink "$entry" 2>/dev/null || true)"
echo "running $(running_release)"
echo "history $(tr '\n' ' ' <"$home/history" 2>/dev/null || true)"
# Ports on which somebody else's site says that it is the default.
theirs() {
    local path
    for path in "$nginx_home/nginx.conf" "$nginx_home"/conf.d/*.conf "$nginx_home"/sites-enabled/*; do
        [ -f "$path" ] && [ "$path" != "$entry" ] || continue
        if [ "$path" = "$stock_site" ] && is_stock_site; then continue; fi
        cat "$path"
        echo
    done
}
echo "defaults $(theirs | sed 's/#.*//' | grep -oE 'listen[[:space:]][^;]*[[:space:]]default_server' \
    | awk '{ address = $2; sub(/^(\*|\[::\]):/, "", address); if (address ~ /^[0-9]+$/) print address }' \
    | sort -un | tr '\n' ' ' || true)"
# Upstreams whose names have never resolved here.
echo "unresolved $(grep -l 'down;' "$home"/upstreams/*.conf 2>/dev/null | sed 's#.*/##; s/_[0-9]*\.conf$//' | tr '\n' ' ' || true)"
