# What else is on this host: other programs, other nginx, other people's nginx configuration. Prints, changes nothing.

# The systemd unit of process $1 in $unit, empty where it has none.
unit_of() {
    local kind path
    unit=
    while IFS=: read -r _ kind path; do
        [[ -z $kind || $kind == name=systemd ]] || continue
        while [[ -n $path && ${path##*/} != *.service ]]; do path=${path%/*}; done
        unit=${path##*/}
        # which may have ended meanwhile
    done 2>/dev/null <"/proc/$1/cgroup" || true
}

# "listen:ADDRESS:PORT PID UNIT PROGRAM" for each TCP port that somebody listens on; address and port as /proc/net has
# them, "-" where there is no unit, pid 0 where the process cannot be seen.
print_listeners() {
    local address port pid unit program
    while read -r address port pid; do
        unit='' program=
        if [ "$pid" != 0 ]; then
            unit_of "$pid"
            read -r program <"/proc/$pid/comm" 2>/dev/null || true
        fi
        echo "listen:$address:$port $pid ${unit:--} $program"
    done < <({
        find /proc/[0-9]*/fd -lname 'socket:*' -printf 'fd %h %l\n' || true
        cat /proc/net/tcp /proc/net/tcp6 || true
    } 2>/dev/null | awk '
        $1 == "fd" {
            split($2, path, "/")
            gsub(/[^0-9]/, "", $3)
            # of a server and its workers the one that was first
            if (!($3 in holder) || path[3] + 0 < holder[$3]) holder[$3] = path[3] + 0
            next
        }
        $4 == "0A" { split($2, at, ":"); print at[1], at[2], holder[$10] + 0 }')
}

# Whether a package put file $1 there, under its own name or the one without /usr that it had before the merge.
is_packaged() {
    grep -qsxF -e "$1" -e "${1#/usr}" -e "/usr$1" /var/lib/dpkg/info/*.list </dev/null
}

# "nginx:PROGRAM PID UNIT VERSION" for each nginx that runs on this host or lies where builds from source and panels put
# it, and belongs to no package. A container's own is not one of this host.
print_foreign_nginx() {
    local path pid unit program programs=() pids=()
    for path in /proc/[0-9]*; do
        read -r program <"$path/comm" 2>/dev/null || continue
        [[ $program == nginx || $program == openresty || $program == tengine ]] || continue
        read -r -d '' program <"$path/cmdline" 2>/dev/null || true
        [[ $program == "nginx: master"* && $path/ns/pid -ef /proc/1/ns/pid ]] || continue
        program=$(readlink "$path/exe") || continue
        programs+=("${program% (deleted)}") pids+=("${path#/proc/}")
    done
    for path in "$(type -P nginx || true)" /usr/local/{nginx/sbin,openresty/nginx/sbin,sbin,bin}/nginx /usr/local/tengine/sbin/nginx \
        /opt/nginx/sbin/nginx /www/server/nginx/sbin/nginx; do
        { [ -x "$path" ] && path=$(readlink -f "$path"); } || continue
        [[ " ${programs[*]-} " == *" $path "* ]] || { programs+=("$path") && pids+=(0); }
    done
    for path in "${!programs[@]}"; do
        pid=${pids[$path]} program=${programs[$path]} unit=
        [ "$pid" = 0 ] || unit_of "$pid"
        if [ "$program" = "$packaged_nginx" ]; then
            # nginx.service is what the gateway reloads; an instance with a main file of its own is another matter
            { [[ $pid != 0 && $unit != nginx.service ]] && ! grep -qsa -e ' -c ' "/proc/$pid/cmdline"; } || continue
        elif is_packaged "$program"; then
            continue
        fi
        program+=" $pid ${unit:--} $("$program" -v 2>&1 | head -n 1 || true)"
        echo "nginx:$program"
    done
}

# The unit nginx.service, and whether a package put it there.
print_unit() {
    local line file='' source=''
    [ -d /run/systemd/system ] || { echo "init $(</proc/1/comm)"; return; }
    while read -r line; do
        # By the package itself, which Debian 11 leaves like that when it is removed; installing it undoes that.
        if [ "$line" = LoadState=masked ] && [ -z "$packaged_nginx" ]; then
            [ ! -e /var/lib/systemd/deb-systemd-helper-masked/nginx.service ] || continue
        fi
        echo "unit:${line%%=*} ${line#*=}"
        case $line in
            FragmentPath=*) file=${line#*=} ;;
            SourcePath=*) source=${line#*=} ;;
        esac
    done < <(systemctl show -p LoadState,FragmentPath,SourcePath,UnitFileState,ActiveState,MainPID nginx.service)
    # generated from a script, which Debian's package would replace as well; a mask is no unit
    file=${source:-$file}
    [[ $file != /dev/null && $(readlink -f "$file") != /dev/null ]] || file=
    [ -n "$packaged_nginx" ] || [ -z "$file" ] || is_packaged "$file" || echo "unit:Foreign $file"
    [ -n "$packaged_nginx" ] || [ -n "$file" ] || [ ! -e /etc/init.d/nginx ] || is_packaged /etc/init.d/nginx \
        || echo "unit:Foreign /etc/init.d/nginx"
}

# The configuration of everybody else, as nginx reads it: "dump" and the output of nginx -T, packed, on one line, with
# nothing in the place of each link by which a release could be included; or "broken" and why it does not load.
print_configuration() {
    local found link done=0
    [ -f "$nginx_home/nginx.conf" ] || return 0
    shadow=$(mktemp -d /run/wecom-gateway.XXXXXX) || return 0
    trap 'rm -rf -- "$shadow"' EXIT
    shadow_configuration "$shadow"
    for link in "${entries[@]}"; do
        link=$shadow/${link#"$nginx_home"/}
        [ ! -d "${link%/*}" ] || echo "# of a release" >"$link"
    done
    # Into a file, because the dump may hold what is nobody else's business. A log of theirs that is not there yet and that
    # nginx creates on the way is not to be root's alone.
    (umask 022 && timeout 30 "$packaged_nginx" -T -q -c "$shadow/nginx.conf") >"$shadow/.dump" 2>"$shadow/.said" || done=$?
    if [ $done = 0 ]; then
        echo "dump $(sed "s#$shadow/#$nginx_home/#g" "$shadow/.dump" | gzip -c | base64 -w 0)"
    else
        found=$(grep -F '[emerg]' "$shadow/.said" | head -n 3 | sed "s#$shadow/#$nginx_home/#g" || true)
        [ $done != 124 ] || found="nginx -t does not end within 30 seconds: does it wait for a name server?"
        found=${found:-$(tail -n 3 "$shadow/.said")}
        echo "broken ${found//$'\n'/; }"
    fi
    rm -rf -- "$shadow"
}

# Whose group is whose, to tell who else could read a file that nginx's group may read: "groups USER:GROUP ..." by
# primary group, and "shared GROUP ..." of those that another user is in or that another program than nginx runs in.
print_groups() {
    awk -F: '
        FILENAME == "/etc/group" { name[$3] = $1; members[$1] = $4; next }
        FILENAME == "/etc/passwd" { primary = primary " " $1 ":" name[$4]; next }
        END { print "groups" primary; for (one in members) if (members[one] != "") print "members:" one " " members[one] }
        ' /etc/group /etc/passwd
    # of a process that ends meanwhile nothing is read
    { grep -hsE '^(Name|Gid|Groups):' /proc/[0-9]*/status || true; } | awk '
        FILENAME == "/etc/group" { split($0, part, ":"); name[part[3]] = part[1]; next }
        $1 == "Name:" { program = $2 }
        ($1 == "Gid:" || $1 == "Groups:") && program != "nginx" { for (place = 2; place <= NF; place++) used[$place] }
        END { for (gid in used) if (gid in name) shared = shared " " name[gid]; print "shared" shared }
        ' /etc/group -
}
