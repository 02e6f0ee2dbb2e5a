# Prints what a deploy has to know of the host, one "key value" a line. Changes nothing. It runs on every host in
# every deploy, so it starts few processes.
[ "$EUID" = 0 ] || fail "this runs as $(id -un), not as root; set \`_sudo = True\` in group_data/all.py and no \`_sudo_user\`"
shopt -s nullglob

text_of() {
    [ ! -r "$1" ] || echo "$(<"$1")"
}

if command -v nginx >/dev/null; then
    built=$(nginx -V 2>&1)
    echo "version ${built%%$'\n'*}"
    # "built with OpenSSL 3.0.8 ... (running with OpenSSL 3.0.17 ...)": the last one counts.
    openssl=${built##*OpenSSL }
    echo "openssl ${openssl%% *}"
else
    echo "candidate $(apt-cache policy nginx 2>/dev/null | awk '$1 == "Candidate:" { print $2 }')"
fi
# The last two are needed for egress and for automatic certificates alone.
needed=(nginx ca-certificates libnginx-mod-stream certbot)
packages=$(dpkg-query -W -f '${Package} ${Status}\n' "${needed[@]}" 2>/dev/null || true)
missing=
for package in "${needed[@]}"; do
    [[ $packages =~ (^|$'\n')"$package install ok installed" ]] || missing+=" $package"
done
echo "missing$missing"
if [ -e /proc/net/if_inet6 ]; then echo "ipv6 yes"; else echo "ipv6 no"; fi
current=$(readlink "$home/current" || true)
echo "current $current"
[ -z "$current" ] || echo "digest $(digest_of_release "${current#releases/}")"
echo "activated $(text_of "$home/activated")"
echo "entry $(readlink "$entry" || true)"
if has_room; then echo "room yes"; else echo "room no"; fi
echo "running $(running_release)"
history=$(text_of "$home/history")
echo "history ${history//$'\n'/ }"

# What somebody else's sites claim for themselves.
theirs=()
for path in "$nginx_home/nginx.conf" "$nginx_home"/conf.d/*.conf "$nginx_home"/sites-enabled/*; do
    [ -f "$path" ] && [ "$path" != "$entry" ] || continue
    if [ "$path" = "$stock_site" ] && is_stock_site; then continue; fi
    theirs+=("$path")
done
their_listeners ${theirs[@]+"${theirs[@]}"}

# Whether somebody else limits the files of a worker: the directive may stand only once.
limits=no
for path in "$nginx_home/nginx.conf" "$nginx_home"/modules-enabled/*.conf; do
    [ -f "$path" ] && [ "$path" != "$main_entry" ] || continue
    ! [[ $'\n'$(<"$path") =~ $'\n'[[:space:]]*worker_rlimit_nofile ]] || limits=yes
done
echo "limits $limits"

# The group that nginx's workers run in.
if [[ $'\n'$(text_of "$nginx_home/nginx.conf") =~ $'\n'[[:space:]]*user[[:space:]]+([a-z_][a-z0-9_-]*)([[:space:]]+([a-z_][a-z0-9_-]*))?[[:space:]]*\; ]]; then
    echo "group ${BASH_REMATCH[3]:-$(id -gn "${BASH_REMATCH[1]}" 2>/dev/null || true)}"
fi

# Upstreams whose names have never resolved here.
unresolved=()
for path in "$home"/upstreams/*.conf; do
    [[ $(<"$path") != *down\;* ]] || { name=${path##*/} && unresolved+=("${name%_*}"); }
done
echo "unresolved ${unresolved[*]-}"

# Certificates from ACME servers: until when they are valid, what they were asked for with, what went wrong last.
for path in "$home"/acme/issued/*/; do
    domain=${path%/} domain=${domain##*/}
    ends=$(openssl x509 -noout -enddate -in "$path/live/fullchain.pem" 2>/dev/null || true)
    echo "ends:$domain ${ends#notAfter=}"
    echo "order:$domain $(text_of "$path/order")"
done
for path in "$home"/acme/failed/*; do
    echo "failed:${path##*/} $(text_of "$path")"
done
