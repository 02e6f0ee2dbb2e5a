# Takes the gateway out of nginx, on a host for which the inventory has nothing left: nginx reads its own configuration
# alone, as it was before the gateway came, with what was put aside for it, and no unit of the gateway's runs. Releases
# stay, so that a rollback can bring the last one back; not where $1 is "rollback", from the first of them. Where nginx
# would not load without the gateway, or goes on serving it, nothing is different.
take_lock
# A cut connection must not stop this halfway.
trap '' HUP PIPE
shadow=$(mktemp -d /run/wecom-gateway.XXXXXX)
trap 'rm -rf -- "$shadow"' EXIT

if nginx_runs; then
    mkdir "$shadow/without"
    shadow_configuration "$shadow/without"
    said=$(run_nginx -t -q -c "$(in_shadow "$shadow/without" "$main_file")" 2>&1) \
        || fail "nginx would not load without the gateway, which goes on as it is; mend this first:
$(with_own_names "$shadow/without" <<<"$said")"
fi

linked=$(readlink "$home/current" || true)
entry=$(including_links | tail -n 1)

go_back() {
    local status=$?
    trap - EXIT
    set +e
    if [ "$stage" = switching ]; then
        read_replaced "$home/$linked"
        put_aside
        [ -z "${restored-}" ] || rm -f "$restored"
        [ -z "$linked" ] || put_link "$home/current" "$linked"
        [ -z "$entry" ] || include_release "$shadow" "$entry"
        ! nginx_runs || reload_nginx
        echo "wecom-gateway: the gateway is not taken out of nginx; ${linked#releases/} goes on" >&2
    fi
    rm -rf -- "$shadow"
    exit $status
}
stage=switching
trap go_back EXIT

# It may have gone with its package.
if [ -f "$main_file" ]; then
    lower_connections <"$main_file" | without_line >"$shadow/main"
    cmp -s "$shadow/main" "$main_file" || replace_nginx_conf "$shadow/main"
fi
rm -f ${entries[@]+"${entries[@]}"} "$main_entry"
give_back
restored=
if [ -e "$home/had-stock-site" ] && [ -f "$nginx_home/sites-available/default" ] && ! is_there "$stock_site"; then
    restored=$stock_site
    ln -s "$nginx_home/sites-available/default" "$restored"
fi
if nginx_runs; then
    reload_nginx
    for _ in $(seq 150); do
        [ -n "$(running_release)" ] || break
        sleep 0.2
    done
    [ -z "$(running_release)" ] || fail "the running nginx did not give up the gateway's release within 30 seconds"
fi
stage='done'

drop_units "" >/dev/null
systemctl daemon-reload
rm -rf -- "$metrics_folder" "$requests_log"
[ "${1-}" != rollback ] || rm -f "$home/history"
# The link to the release last: as long as it is there, a deploy that was killed here is done again.
rm -f "$dpkg_entry" "$logrotate_entry" "$home/had-stock-site" "$home/activated" "$home/nginx" "$home/current"
