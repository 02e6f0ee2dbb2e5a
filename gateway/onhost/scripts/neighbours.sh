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

# Prints for each nginx of the arrays but the one in use "nginx:PROGRAM PID UNIT VERSION" and "built:PROGRAM OPENSSL
# MODULES"; where $1 is "whole" also "dump:PROGRAM" and what `nginx -T` of those that run prints, packed as by
# print_configuration.
print_foreign_nginx() {
    local place program pid said
    for place in "${!programs[@]}"; do
        program=${programs[$place]} pid=${pids[$place]}
        [ "$place" != "$in_use" ] || continue
        if [ "$program" = "$packaged_nginx" ]; then
            # Beside the package's own instances with a main file of their own are nobody's business.
            [[ $pid != 0 && ${units[$place]} != "$nginx_unit" && ${commands[$place]} != *" -c "* ]] || continue
        fi
        said=$("$program" -V 2>&1 || true)
        echo "nginx:$program $pid ${units[$place]:--} $(version_of "$said")"
        echo "built:$program $(openssl_of "$said") $(built_with "$said")"
        [[ $1 != whole || $pid = 0 ]] || print_sites "$program" "${commands[$place]}"
    done
}

# Prints "dump:PROGRAM" and the configuration that the nginx $1 with the title $2 was started with. It runs, so that the
# files are there which a test of its configuration would make.
print_sites() {
    local options config prefix
    read_options "$2"
    # As by print_configuration, should one of its logs have gone.
    echo "dump:$1 $( (umask 022 && timeout 10 "$1" -T -q ${options[@]+"${options[@]}"} 2>/dev/null) | gzip -c | base64 -w 0 || true)"
}

# Prints what systemd says of nginx's unit, and its file where no package put it there.
print_unit() {
    local line file='' source=''
    [ -d /run/systemd/system ] || { echo "init $(</proc/1/comm)"; return; }
    while read -r line; do
        # The package masks it on Debian 11 when it is removed, and unmasks it when it is installed again.
        if [ "$line" = LoadState=masked ] && [ -z "$in_use" ]; then
            [ ! -e "/var/lib/systemd/deb-systemd-helper-masked/$nginx_unit" ] || continue
        fi
        echo "unit:${line%%=*} ${line#*=}"
        case $line in
            FragmentPath=*) file=${line#*=} ;;
            SourcePath=*) source=${line#*=} ;;
        esac
    done < <(systemctl show -p LoadState,FragmentPath,SourcePath,UnitFileState,ActiveState "${nginx_unit:-none.service}")
    [ -z "$in_use" ] || return 0
    # A unit may be generated from a script, which Debian's package would replace as well. A mask is no unit.
    file=${source:-$file}
    [[ $file != /dev/null && $(readlink -f "$file") != /dev/null ]] || file=
    [ -z "$file" ] || is_packaged "$file" || echo "unit:Foreign $file"
    [ -n "$file" ] || [ ! -e /etc/init.d/nginx ] || is_packaged /etc/init.d/nginx || echo "unit:Foreign /etc/init.d/nginx"
}

# Prints the nginx configuration of everybody else: "dump" and the output of nginx -T in gzip and base64, with an empty
# file in the place of each link by which a release can be included; or "broken" and why it does not load.
print_configuration() {
    local found link done=0
    [ -f "$main_file" ] || {
        # What it was started with may name it relative to a folder that only the process knows.
        found="$main_file is not there; have nginx started with whole paths, where it is by -c or -p"
        echo "broken $found"
        return
    }
    shadow=$(mktemp -d /run/wecom-gateway.XXXXXX) || return 0
    trap 'rm -rf -- "$shadow"' EXIT
    shadow_configuration "$shadow"
    for link in ${entries[@]+"${entries[@]}"}; do
        link=$(in_shadow "$shadow" "$link")
        [ ! -d "${link%/*}" ] || echo "# of a release" >"$link"
    done
    # Into a file of root's alone, since the dump may hold secrets. nginx creates logs of others that are not there yet,
    # and those must not be root's alone.
    (umask 022 && timeout 30 "$nginx_program" ${nginx_options[@]+"${nginx_options[@]}"} -T -q -c "$(in_shadow "$shadow" "$main_file")") >"$shadow/.dump" 2>"$shadow/.said" || done=$?
    if [ $done = 0 ]; then
        echo "dump $(with_own_names "$shadow" <"$shadow/.dump" | gzip -c | base64 -w 0)"
    else
        found=$(grep -F '[emerg]' "$shadow/.said" | head -n 3 | with_own_names "$shadow" || true)
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
    # A process may end meanwhile.
    { grep -hsE '^(Name|Gid|Groups):' /proc/[0-9]*/status || true; } | awk -F: '
        FILENAME == "/etc/group" { name[$3] = $1; members[$1] = $4; next }
        FILENAME == "/etc/passwd" { primary = primary " " $1 ":" name[$4]; next }
        $1 == "Name" { is_nginx = $0 == "Name:\tnginx"; next }
        !is_nginx { for (count = split($2, gids, " "); count > 0; count--) used[gids[count]] }
        END {
            print "groups" primary
            for (one in members) if (members[one] != "") print "members:" one " " members[one]
            for (gid in used) if (gid in name) shared = shared " " name[gid]
            print "shared" shared
        }' /etc/group /etc/passwd -
}
