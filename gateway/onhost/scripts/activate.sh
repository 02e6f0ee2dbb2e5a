# Brings release $1 into force: tests it, switches to it, reloads nginx and asks it. Where a step fails, all is undone.
# $2 is "deploy", or "rollback" where $1 is an earlier release that stays in its place in the history. $3 is the link by
# which nginx's own configuration includes it, or nginx.conf where a line in it does. $4, of a deploy, is where the
# release came from, $5 the version of the product that made it.
release=$1 purpose=$2 entry=$3
target=$home/releases/$release
# Before the lock: names that do not answer must not keep another deploy waiting.
addresses=$([ ! -f "$target/upstreams" ] || resolve_names "$target/upstreams")
take_lock
# A cut connection must not stop this halfway.
trap '' HUP PIPE
[ -f "$target/gateway.conf" ] || fail "release $release is not on this host; deploy again"

read_replaced "$target"

was_active=no
! nginx_runs || was_active=yes
# Found out before anything is changed.
stock_site_goes || true

# Prints "port 80 is held by python3 (pid 17)" for each port of the release that another process listens on: nginx would
# keep its old configuration at a reload, and would not come up after a restart. A line of the release's `ports` is a
# port, or a port, an address, and that address as /proc/net writes it. nginx's own sockets are in the way only where a
# port changes from every address to one or back: nginx opens the new socket before it closes the old one.
held_ports() {
    local master own port hex inode at where pid
    master=$(master_pid)
    own=" $(find "/proc/${master:-0}/fd" -lname 'socket:*' -printf '%l ' 2>/dev/null | tr -dc '0-9 ' || true) "
    while read -r port _ hex; do
        while read -r inode at; do
            if [ "${own#* "$inode" }" != "$own" ]; then
                if [ -n "$hex" ]; then
                    where="every address"
                    [ "$at" = "${hex//?/0}" ] || continue
                else
                    where="one address"
                    grep -q "^$port .* $at\$" "$home/current/ports" 2>/dev/null || continue
                fi
                echo "port $port is nginx's own at present, on $where, and has to be \
given up first: deploy once without what needs it there, then again"
                break
            fi
            pid=$(find /proc/[0-9]*/fd -lname "socket:\[$inode\]" 2>/dev/null | head -n 1 | cut -d / -f 3 || true)
            echo "port $port is held by $(cat "/proc/$pid/comm" 2>/dev/null || echo another process) (pid ${pid:-unknown})"
            break
        done < <(awk -v port="$(printf ':%04X' "$port")" -v hex="$hex" '
            { at = substr($2, 1, length($2) - 5) }
            $4 == "0A" && substr($2, length($2) - 4) == port && (hex == "" || at == hex || at ~ /^0+$/) { print $10, at }
            ' /proc/net/tcp /proc/net/tcp6 2>/dev/null)
    done <"$target/ports"
}

held=$(held_ports)
[ -z "$held" ] || fail "nginx cannot listen where release $release needs it; free the port, then deploy again:
$held"
# nginx uses new addresses after its next reload, which is owed even where this release does not come into force.
[ -z "$(write_addresses "$target/upstreams" "$addresses")" ] || touch "$home/upstreams/.reload"

# With the mode and owner that Debian's logrotate gives them; `nginx -t` below would create the first with this script's
# umask.
[ -d "$log_folder" ] || install -d -m 755 "$log_folder"
for log in "$access_log" "$requests_error_log"; do
    [ -e "$log" ] || install -m 640 -o "$nginx_user" -g adm /dev/null "$log"
done
if [ -f "$target/egress.conf" ]; then
    has_main_entry || fail "egress stands outside of http, and nginx.conf on this host does not include \
${main_entry%/*}/*.conf there; put the line \"include ${main_entry%/*}/*.conf;\" at its top, as its package has it"
    [ -e "$egress_log" ] || install -m 640 -o "$nginx_user" -g adm /dev/null "$egress_log"
fi
if [ -f "$target/metrics.conf" ]; then
    # It listens even for that; on its usual port another one of the host's may do so.
    said=$("$mtail_program" --compile_only --address 127.0.0.1 --port 0 --logtostderr \
        --progs "$target/metrics/requests.mtail" 2>&1) \
        || fail "metrics needs mtail 3.0.0~rc43 or later, and this host's does not understand what it is to count; \
upgrade it, or take metrics out of the inventory:
$said"
    [ -e "$requests_log" ] || install -m 640 -o "$nginx_user" -g adm /dev/null "$requests_log"
fi

# What an operator can do about it, where nginx's own words do not say.
reason_of() {
    local path
    for path in ${replaced[@]+"${replaced[@]}"}; do
        [[ $1 != *"open() \"$path\" failed"* ]] || echo " an include names $path by itself, and nginx would not start \
with that file put aside; have it name a pattern (${path%?}[${path: -1}]):"
    done
    if [ -f "$target/metrics.conf" ] && [[ $1 == *'Cannot assign requested address'* ]]; then
        echo " the address of \"listen\", of metrics or egress, is not one of this host's (ip address shows them):"
        return
    fi
    [ -f "$target/egress.conf" ] || return 0
    case $1 in
        *'"stream" directive is duplicate'*)
            echo " this host's nginx has a stream block of its own, and there can be one only. Put egress on another \
host, or remove that block:" ;;
        *'unknown directive "stream"'*)
            [ "$main_entry" != "$rpm_main_entry" ] || {
                echo " nginx does not load its stream module: ${main_entry%/*}/mod-stream.conf is missing \
(yum reinstall nginx-mod-stream puts it back):"
                return
            }
            echo " nginx does not load its stream module: $nginx_home/modules-enabled/50-mod-stream.conf is missing \
(apt-get install --reinstall libnginx-mod-stream puts it back):" ;;
        *'Cannot assign requested address'*)
            echo " the address of egress's \"listen\" is not one of this host's (ip address shows them):" ;;
    esac
}

# Prints which file of the operator's own nginx refuses the release for, where its words, $1, name none: without what is
# in that file it takes the release. nginx names no file for what it only finds out in the end, such as an unknown
# variable. nginx looks at a copy of the release's servers in which the file's name is another.
own_file_behind() {
    local path file trial code
    [[ $1 != *files/nginx/* ]] || return 0
    for path in "$target"/files/nginx/*.conf; do
        [ -e "$path" ] || continue
        trial=$(mktemp -d "$shadow/trial.XXXXXX")
        mkdir -p "$trial/release/sites" "$trial/shadow"
        : >"$trial/empty.conf"
        ln -s "$target/main.conf" "$trial/release/"
        for file in "$target/gateway.conf" "$target"/sites/*.conf; do
            sed -e "s#[^ ;]*/releases/$release/files/nginx/${path##*/}#$trial/empty.conf#g" \
                -e "s#[^ ;]*/releases/$release/sites/#$trial/release/sites/#g" "$file" >"$trial/release/${file#"$target"/}"
        done
        code=0
        test_candidate "$trial/shadow" "$trial/release" "$entry" >/dev/null || code=$?
        rm -rf -- "$trial"
        # 2: nginx takes it, and reads the release's other files from their own place. 3: so it does
        [ $code = 1 ] || { echo " it takes it without what is in files/nginx/${path##*/}:" && return; }
    done
}

keeps_house=no
! try_acme_lock || keeps_house=yes
drop_lost_certificates $keeps_house
shadow=$(mktemp -d /run/wecom-gateway.XXXXXX)
trap 'rm -rf -- "$shadow"' EXIT
found=$(test_candidate "$shadow" "$target" "$entry") && accepted=0 || accepted=$?
[ "$accepted" -ne 2 ] || fail "nginx does not read $entry on this host, and would never serve what is in it; have the \
http block of $main_file include this folder: include ${entry%/*}/*.conf;"
[ "$accepted" -ne 3 ] || fail "a deploy cannot test nginx without $found, which \"replaces\" names: the include that \
reads it has a pattern in the name of a folder, or stands in a file that is neither in $nginx_home nor in a folder \
directly below; have one there include the file's own folder, then deploy again"
if [ "$accepted" -ne 0 ]; then
    if ! present=$(run_nginx -t -q 2>&1 | in_checkout); then
        fail "nginx's configuration on this host is broken already, without this release; mend it first:
$present"
    fi
    fail "nginx refuses the new release; the old one goes on:$(reason_of "$found")$(own_file_behind "$found")
$found"
fi
# Only names of this release on ports of this release count: other conflicts are between sites of others. `names` are
# those that an operator's own directives add.
conflicts=$(grep 'conflicting server name' <<<"$found" | awk '
    kind != "found" { ours[kind, $1]; next }
    split($0, part, "\"") == 3 && match(part[3], /:[0-9]+,/) \
        && ("domain", part[2]) in ours && ("port", substr(part[3], RSTART + 1, RLENGTH - 2)) in ours
    ' kind=domain "$target/domains" <(cat "$target/names" 2>/dev/null) kind=port "$target/ports" kind=found - | sort -u || true)
[ -z "$conflicts" ] || fail "another site of this host has a name of this release on the same port, and one of \
the two would never answer; remove one of them:
$conflicts"

point_to() {
    if [ -d "$home/current" ] && [ ! -L "$home/current" ]; then
        rm -rf -- "$home/.current.aside"
        mv -T "$home/current" "$home/.current.aside"
    fi
    put_link "$home/current" "$1"
}
tell_nginx() {
    if nginx_runs; then
        reload_nginx
    elif [ -z "$nginx_unit" ]; then
        fail "nginx does not run, and no unit of systemd starts it; start it as its owner does, then deploy again"
    elif systemctl is-active --quiet "$nginx_unit"; then
        # A script in init.d counts as active when what it started has ended.
        systemctl restart "$nginx_unit"
    else
        systemctl start "$nginx_unit"
    fi
}
serves() {
    for _ in $(seq 150); do
        [ "$(running_release)" != "$1" ] || return 0
        sleep 0.2
    done
    return 1
}
# Writes the last five releases that were in force into the history, the oldest first. A deploy after a rollback leaves
# out those that were rolled back from, so that another rollback never goes there.
remember() {
    local past=()
    if [ "$purpose" = rollback ]; then return; fi
    if [ -f "$home/history" ]; then mapfile -t past < <(sed "/^${previous##*/}\$/q" "$home/history"); fi
    printf '%s\n' ${past[@]+"${past[@]}"} "$release" | awk -v last="$release" '$0 != last' >"$home/history.new"
    echo "$release" >>"$home/history.new"
    tail -n 5 "$home/history.new" >"$home/history.cut"
    mv "$home/history.cut" "$home/history"
    rm -f "$home/history.new"
}
# Has logrotate keep the logs of the release small where nothing else on the host does.
keep_logs_small() {
    if [ -f "$target/logrotate" ]; then
        cmp -s "$target/logrotate" "$logrotate_entry" || install -m 644 "$target/logrotate" "$logrotate_entry"
    elif [ -e "$logrotate_entry" ]; then
        rm -f "$logrotate_entry"
    fi
}
# Keeps where the release came from ($1), and the version that made it ($2), beside the releases: their ids must not
# change with either.
keep_origin() {
    [ -n "$1" ] || return 0
    mkdir -p "$home/origins" "$home/versions"
    echo "$1 $(date -u +%FT%TZ)" >"$home/origins/$release"
    echo "$2" >"$home/versions/$release"
}
# Removes releases that are not in the history, and with them the keys of removed sites. Those that were just published
# and are about to be activated stay.
prune() {
    local path
    rm -f "$home/pending/$release"
    find "$home/pending" -type f -mmin +10 -delete 2>/dev/null || true
    for path in "$home"/releases/*; do
        grep -qxF "${path##*/}" "$home/history" || [ "$path" = "$target" ] || [ -e "$home/pending/${path##*/}" ] \
            || rm -rf -- "$path"
    done
    for path in "$home"/origins/* "$home"/versions/* "$home"/builds/*; do
        [ -e "$home/releases/${path##*/}" ] || rm -f "$path"
    done
    for path in "$home"/upstreams/*.conf; do
        [ -e "$path" ] || continue
        path=${path##*/}
        path=${path%.conf}
        grep -qxF -- "${path%_*} ${path##*_}" "$home"/releases/*/upstreams || rm -f "$home/upstreams/$path.conf"
    done
}
# Where the release has metrics, has mtail read its program, unless that is as before: mtail loses what it has counted; and
# has what is measured every minute be measured now. Where it has none, nothing of what was measured stays.
settle_metrics() {
    local program=metrics/requests.mtail
    if [ ! -e "$target/$program" ]; then
        rm -rf -- "$metrics_folder" "$requests_log"
        return
    fi
    { [ $changed = no ] && cmp -s "$target/$program" "$home/${previous:-none}/$program"; } \
        || systemctl restart "$mtail_unit"
    systemctl start --no-block "$metrics_unit"
}
enable_units() {
    local unit link changed=no
    # Those of releases that had others. systemd knows the unit until it is told to read again.
    [ -z "$(drop_units "$target/units")" ] || changed=yes
    for unit in "$target"/units/*; do
        link=/etc/systemd/system/${unit##*/}
        [ "$(readlink "$link")" = "$home/current/units/${unit##*/}" ] || changed=yes
        [ -n "$previous" ] && cmp -s "$unit" "$home/$previous/units/${unit##*/}" || changed=yes
        ln -sfn "$home/current/units/${unit##*/}" "$link"
    done
    [ $changed = no ] || systemctl daemon-reload
    for unit in "$target"/units/*.timer "$target"/units/*.socket "$target/units/$mtail_unit"; do
        [ -e "$unit" ] || continue
        unit=${unit##*/}
        { systemctl is-active --quiet "$unit" && systemctl is-enabled --quiet "$unit"; } \
            || { enable_unit "$unit" && systemctl start "$unit"; }
    done
    if [ -e "$target/units/$error_unit" ]; then
        # Both may be as the release before had them. What nginx says while the service starts waits in the socket.
        [ $changed = no ] || systemctl restart "${error_unit%.service}.socket"
        systemctl try-restart "$error_unit"
    fi
    settle_metrics
    # Without a release it could only fail, and its next run is half a minute away.
    systemctl reset-failed wecom-gateway-resolve.service 2>/dev/null || true
    # Debian's certbot.timer starts it.
    [ -L "/etc/systemd/system/certbot.service.wants/$renewal_unit" ] || enable_unit "$renewal_unit"
    [ -z "$nginx_unit" ] || systemctl is-enabled --quiet "$nginx_unit" || systemctl enable --quiet "$nginx_unit"
    let_nginx_start
    [ ! -d "${dpkg_entry%/*}" ] || put_link "$dpkg_entry" "$home/current/dpkg.cfg"
}

# The release to go back to: the one that the running nginx serves, else the one that was last proven to be in force,
# else the one that the link points to. That one only where it was in force before: a deploy that was killed after its
# switch leaves the link at a release that never ran.
previous=
linked=$(readlink "$home/current" || true)
linked=$(grep -xF -- "${linked#releases/}" "$home/history" 2>/dev/null || true)
for name in "$(running_release)" "$(cat "$home/activated" 2>/dev/null || true)" "$linked"; do
    if [[ $name =~ ^[0-9a-f]{16}$ ]] && [ -f "$home/releases/$name/gateway.conf" ]; then
        previous=releases/$name
        break
    fi
done
# The link by which that release is included.
entry_before=$(including_links | tail -n 1)
log_before=$(stat -c %s "$error_log" 2>/dev/null || echo 0)
drop_stale_copy "$entry"

# Undoes the activation, whatever stopped it. Prints what is in force then.
go_back() {
    local included=
    [ -z "$previous" ] || included=${entry_before:-$entry}
    read_replaced "$home/${previous:-none}"
    put_aside
    restore_nginx_conf "$included"
    if [ -n "$previous" ]; then
        point_to "$previous"
        if [ -n "$entry_before" ] && [ "$entry_before" != "$entry" ]; then
            # the line is in nginx.conf, or not, as that was before
            [ "$entry_before" = "$main_file" ] || put_link "$entry_before" "$(aim_of "$entry_before" gateway.conf)"
            [ "$entry" = "$main_file" ] || rm -f "$entry"
        fi
    else
        rm -f ${entries[@]+"${entries[@]}"} "$main_entry"
    fi
    give_back
    # Last: as long as it is there, what a killed deploy has put aside can be had back.
    [ -n "$previous" ] || rm -f "$home/current"
    # Before the welcome page is back: it is not to be served for a moment.
    [ $was_active = yes ] || [ -z "$nginx_unit" ] || systemctl stop "$nginx_unit"
    [ $remove_stock = no ] || ln -s "$nginx_home/sites-available/default" "$stock_site"
    if [ $was_active = no ]; then
        echo "nginx is stopped, as it was"
        return
    fi
    tell_nginx
    if [ -z "$previous" ]; then
        echo "what was there before is in force again"
    elif serves "${previous##*/}"; then
        echo "${previous##*/}" >"$home/activated"
        echo "release ${previous##*/} is in force again"
    else
        echo "and it does not answer with release ${previous##*/}, which it served before, either: see $error_log"
    fi
}

stage=switching
leave() {
    local status=$?
    trap - EXIT
    # Goes on where a step fails.
    set +e
    rm -rf -- "$shadow"
    case $stage in
        switching)
            local now
            now=$(go_back)
            echo "wecom-gateway: release $release is not in force; $now. The end of $error_log:" >&2
            tail -c +$((log_before + 1)) "$error_log" 2>/dev/null | tail -n 15 | in_checkout >&2
            ;;
        serving)
            echo "wecom-gateway: the running nginx serves release $release, but what belongs to it could not be finished; \
mend what is said above, then deploy again" >&2
            ;;
    esac
    exit $status
}
trap leave EXIT

# A deploy of the same release has to activate it again where this one is killed from here on.
[ "$(cat "$home/activated" 2>/dev/null || true)" != "$release" ] || rm -f "$home/activated"
if [ $remove_stock = yes ]; then
    # Where it was served, it is served again when the gateway goes (withdraw.sh).
    [ $was_active = no ] || [ -n "$previous" ] || touch "$home/had-stock-site"
    rm -f "$stock_site"
fi
# First where nothing includes it yet: with it, what was put aside can be had back where this is killed.
[ -n "$(including_links)" ] || point_to "releases/$release"
put_aside
point_to "releases/$release"
include_release "$shadow" "$entry"
give_back
tell_nginx
serves "$release" || fail "the running nginx did not take release $release within 30 seconds"

stage=serving
rm -f "$home/upstreams/.reload" "$before"
remember
keep_origin "${4-}" "${5-}"
keep_logs_small
# Which of several nginx on this host has the release.
echo "$nginx_program ${nginx_options[*]-}" >"$home/nginx"
enable_units
prune
# Else the script that has the ACME lock does it when it is done.
[ $keeps_house = no ] || keep_house "$target"
echo "$release" >"$home/activated.new"
mv "$home/activated.new" "$home/activated"
stage='done'
