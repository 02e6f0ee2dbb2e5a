# Prints how nginx, the timers and the disks of the host are, one "key value" a line: what status has to know beyond
# what a deploy does. Changes nothing.
shopt -s nullglob

# Prints what keeps nginx from starting: the first [emerg] line on standard input, without time and process. Where the
# journal tells of several starts, that of the last one.
first_emergency() {
    awk '
        /^Starting / { line = found = "" }
        found == "" { line = $0 }
        /\[emerg\]/ && !found++ { sub(/^.*\[emerg\] ([0-9]+#[0-9]+: )?/, ""); line = $0 }
        END { print line }'
}

# Whether nginx's configuration loads as it is now. nginx waits long for a name that no name server answers.
if [ -x "$nginx_program" ]; then
    said=$(umask 022 && timeout -k 5 30 "$nginx_program" ${nginx_options[@]+"${nginx_options[@]}"} -t -q 2>&1 | in_checkout) && code=0 || code=$?
    case $code in
        0) echo "loads yes" ;;
        124 | 137) echo "loads slow" ;;
        *) echo "loads no $(first_emergency <<<"$said")" ;;
    esac
fi

# nginx, and the units that the release in force brings: "unit:NAME LOADED ACTIVE ENABLED RESULT PID".
shown=
units=(${nginx_unit:+"$nginx_unit"})
for path in "$home"/current/units/*; do units+=("${path##*/}"); done
[ ! -s "$home/current/orders" ] || units+=(certbot.timer)
[ ${#units[@]} -eq 0 ] || shown=$(systemctl show -p Id,LoadState,ActiveState,UnitFileState,Result,MainPID "${units[@]}" 2>/dev/null | awk '
    function word(key) { return is[key] == "" ? "-" : is[key] }
    function told() {
        if (word("Id") != "-") print "unit:" is["Id"], word("LoadState"), word("ActiveState"), word("UnitFileState"), \
            word("Result"), word("MainPID")
        split("", is)
    }
    NF { place = index($0, "="); is[substr($0, 1, place - 1)] = substr($0, place + 1); next }
    { told() }
    END { told() }' || true)
echo "$shown"
echo "nginx $nginx_unit"
nginx=
while IFS= read -r line; do
    [[ $line != "unit:$nginx_unit "* ]] || nginx=$line
done <<<"$shown"
case $nginx in
    *" inactive "* | *" failed "*) ! nginx_runs || echo "outside yes" ;;
esac
case $nginx in
    *" failed "*)
        # Why it failed when it was started last.
        said=$(journalctl -u "$nginx_unit" -b -o cat -n 100 --no-pager 2>/dev/null || true)
        [[ $said != *"[emerg]"* ]] || echo "reason $(first_emergency <<<"$said")"
        ;;
    *" active "*)
        pid=${nginx##* }
        [[ $pid != [0-] ]] || pid=$(master_pid)
        program=$(readlink "/proc/$pid/exe" || true)
        [ "$program" = "$(program_at "$program")" ] || echo "replaced yes"
        ;;
esac

# "disk:FOLDER MOUNTPOINT rw|ro KILOBYTES INODES": the last two are what is free, "-" where inodes are not counted.
folders=()
for path in "${home%/*}" "$log_folder" "$variable_home"; do [ ! -d "$path" ] || folders+=("$path"); done
while read -r free size inodes all path; do
    # The longest mount point that the path is in; of several mounts on the same one, the last.
    mount='' mode=
    while read -r _ place _ options _; do
        [[ $path/ != "${place%/}"/* || ${#place} -lt ${#mount} ]] || { mount=$place && mode=$options; }
    done </proc/self/mounts
    if [[ ,$mode, == *,ro,* ]]; then mode=ro; else mode=rw; fi
    [ "$all" != 0 ] || inodes=-
    echo "disk:$path $mount $mode $((free * size / 1024)) $inodes"
done < <([ ${#folders[@]} = 0 ] || stat -f -c '%a %S %d %c %n' "${folders[@]}")

# Prints "node:UPSTREAM/ADDRESS:PORT silent" for each address that an upstream of the release in force names itself and that
# takes no connection from here. All are asked at once.
print_silent_nodes() {
    local upstream server
    while read -r upstream server; do
        # $1 and $2 in the words for bash are that bash's own.
        # shellcheck disable=SC2016
        timeout 3 bash -c 'exec 3<>"/dev/tcp/$1/$2"' ask "$(tr -d '[]' <<<"${server%:*}")" "${server##*:}" 2>/dev/null \
            || echo "node:$upstream/$server silent" &
    done < <(awk '
        $1 == "upstream" { upstream = $2 }
        $1 == "server" && !/ backup;/ { sub(/;$/, "", $2); print upstream, $2 }' "$home/current/gateway.conf" | head -n 100)
    wait
}
[ ! -f "$home/current/gateway.conf" ] || print_silent_nodes

# How dpkg sees nginx.conf: whether it will ask when Debian brings another one.
if knows_nginx_conf; then
    if is_shipped <"$main_file"; then echo "conffile shipped"
    elif lower_connections <"$main_file" | is_shipped; then echo "conffile raised"
    else echo "conffile edited"; fi
    [ ! -f "$home/current/dpkg.cfg" ] || [ -e "$dpkg_entry" ] || echo "hook gone"
fi

# The host that the release in force was rendered for.
path=$(readlink "$home/current" || true)
path=$home/builds/${path##*/}
[ ! -f "$path" ] || echo "build $(<"$path")"
