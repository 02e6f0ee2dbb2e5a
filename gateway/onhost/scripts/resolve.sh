# Run every half minute by wecom-gateway-resolve.timer: nginx resolves the names of its upstreams only when it
# loads its configuration, so when an address changes the configuration is loaded again.
[ -f "$home/current/upstreams" ] || exit 0
# Before the lock: names that do not answer must not keep a deploy waiting.
addresses=$(resolve_names "$home/current/upstreams")
exec 9>>"$home/.lock"
# A deploy has the lock, and resolves names for itself.
flock -n 9 || exit 0
[ -f "$home/current/upstreams" ] || exit 0
waiting=
! must_wait || waiting=yes
changed=$(write_addresses "$home/current/upstreams" "$addresses" "$waiting")
# Kept in a file, so that a reload that cannot be done now is done later.
[ -z "$changed" ] || touch "$home/upstreams/.reload"
[ -e "$home/upstreams/.reload" ] || exit 0
nginx_runs || exit 0
run_nginx -t -q
reload_nginx
rm -f "$home/upstreams/.reload"
date +%s >"$reloaded" || true
changed=${changed//$'\n'/ }
echo "addresses changed, nginx reloaded: ${changed:-as owed}"
