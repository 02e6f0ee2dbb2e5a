# Prints what else is on this host: other programs, other nginx, other people's nginx configuration. Changes nothing.

# Sets `unit` to the systemd unit of process $1, empty where it has none.
unit_of() {
    local kind path
    unit=
    while IFS=: read -r _ kind path; do
        [[ -z $kind || $kind == name=systemd ]] || continue
        while [[ -n $path && ${path##*/} != *.service ]]; do path=${path%/*}; done
        unit=${path##*/}
        # The process may have ended meanwhile.
    done 2>/dev/null <"/proc/$1/cgroup" || true
}

# Prints "listen:ADDRESS:PORT PID UNIT PROGRAM" for each TCP port that a program listens on; address and port as
# /proc/net writes them, "-" where there is no unit, pid 0 where the process cannot be seen.
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
            # Of a server and its workers, which share the socket, the lowest process id: usually the server.
            if (!($3 in holder) || path[3] + 0 < holder[$3]) holder[$3] = path[3] + 0
            next
        }
        $4 == "0A" { split($2, at, ":"); print at[1], at[2], holder[$10] + 0 }')
}

# Whether a package put file $1 there, under that name, or under the other one where /usr was merged.
is_packaged() {
    grep -qsxF -e "$1" -e "${1#/usr}" -e "/usr$1" /var/lib/dpkg/info/*.list </dev/null
}

# Prints for each nginx that belongs to no package and runs on this host, or is where builds from source and hosting
# panels put it: "nginx:PROGRAM PID UNIT VERSION" and "built:PROGRAM OPENSSL MODULES"; where $1 is "whole" also
# "dump:PROGRAM" and what `nginx -T` of those that run prints, packed as by print_configuration. Those in containers are
# left out.
print_foreign_nginx() {
    local path pid unit program said programs=() pids=()
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
            # The gateway reloads the one of nginx.service; instances with a main file of their own are left out.
            { [[ $pid != 0 && $unit != nginx.service ]] && ! grep -qsa -e ' -c ' "/proc/$pid/cmdline"; } || continue
        elif is_packaged "$program"; then
            continue
        fi
        said=$("$program" -V 2>&1 || true)
        echo "nginx:$program $pid ${unit:--} ${said%%$'\n'*}"
        echo "built:$program $(openssl_of "$said") $(built_with "$said")"
        [[ $1 != whole || $pid = 0 ]] || print_sites "$program" "$pid"
    done
}

# Prints "dump:PROGRAM" and the configuration that process $2 of nginx $1 was started with. It runs, so that the files
# are there which a test of its configuration would make.
print_sites() {
    local word taken='' words options=()
    read -r -d '' -a words 2>/dev/null <"/proc/$2/cmdline" || true
    for word in "${words[@]}"; do
        [[ -z $taken ]] || options+=("$taken" "$word")
        taken=
        [[ $word != -[cp] ]] || taken=$word
    done
    # As by print_configuration, should one of its logs have gone.
    echo "dump:$1 $( (umask 022 && timeout 10 "$1" -T -q "${options[@]}" 2>/dev/null) | gzip -c | base64 -w 0 || true)"
}

# Prints what systemd says of nginx.service, and its file where no package put it there.
print_unit() {
    local line file='' source=''
    [ -d /run/systemd/system ] || { echo "init $(</proc/1/comm)"; return; }
    while read -r line; do
        # The package masks it on Debian 11 when it is removed, and unmasks it when it is installed again.
        if [ "$line" = LoadState=masked ] && [ -z "$packaged_nginx" ]; then
            [ ! -e /var/lib/systemd/deb-systemd-helper-masked/nginx.service ] || continue
        fi
        echo "unit:${line%%=*} ${line#*=}"
        case $line in
            FragmentPath=*) file=${line#*=} ;;
            SourcePath=*) source=${line#*=} ;;
        esac
    done < <(systemctl show -p LoadState,FragmentPath,SourcePath,UnitFileState,ActiveState,MainPID nginx.service)
    # A unit may be generated from a script, which Debian's package would replace as well. A mask is no unit.
    file=${source:-$file}
    [[ $file != /dev/null && $(readlink -f "$file") != /dev/null ]] || file=
    [ -n "$packaged_nginx" ] || [ -z "$file" ] || is_packaged "$file" || echo "unit:Foreign $file"
    [ -n "$packaged_nginx" ] || [ -n "$file" ] || [ ! -e /etc/init.d/nginx ] || is_packaged /etc/init.d/nginx \
        || echo "unit:Foreign /etc/init.d/nginx"
}

# Prints the nginx configuration of everybody else: "dump" and the output of nginx -T in gzip and base64, with an empty
# file in the place of each link by which a release can be included; or "broken" and why it does not load.
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
    # Into a file of root's alone, since the dump may hold secrets. nginx creates logs of others that are not there yet,
    # and those must not be root's alone.
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

# Prints who else could read a file that nginx's group may read: "groups USER:GROUP ..." with each user's primary group,
# "members:GROUP USERS" of groups with further members, and "shared GROUP ..." of those that other programs than nginx
# run in.
print_groups() {
    awk -F: '
        FILENAME == "/etc/group" { name[$3] = $1; members[$1] = $4; next }
        FILENAME == "/etc/passwd" { primary = primary " " $1 ":" name[$4]; next }
        END { print "groups" primary; for (one in members) if (members[one] != "") print "members:" one " " members[one] }
        ' /etc/group /etc/passwd
    # A process may end meanwhile.
    { grep -hsE '^(Name|Gid|Groups):' /proc/[0-9]*/status || true; } | awk '
        FILENAME == "/etc/group" { split($0, part, ":"); name[part[3]] = part[1]; next }
        $1 == "Name:" { program = $2 }
        ($1 == "Gid:" || $1 == "Groups:") && program != "nginx" { for (place = 2; place <= NF; place++) used[$place] }
        END { for (gid in used) if (gid in name) shared = shared " " name[gid]; print "shared" shared }
        ' /etc/group -
}
