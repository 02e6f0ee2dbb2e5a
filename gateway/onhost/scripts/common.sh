# Stands before every other script here, after the constants that it gets (gateway/onhost/constants.py). Scripts run as
# root under bash on the host.
set -euo pipefail
umask 077
export LC_ALL=C
export PATH=$root_path${PATH:+:$PATH}

# Debian's welcome page, in the place from which it is served.
stock_site=$nginx_home/sites-enabled/default

fail() {
    echo "wecom-gateway: $*" >&2
    exit 1
}

# Prints where link $1 leads that includes file $2 of the current release: in nginx's own folder a relative path.
aim_of() {
    if [ "${1%/*/*}" = "${home%/*}" ]; then echo "../${home##*/}/current/$2"; else echo "$home/current/$2"; fi
}

# Prints those of the links in `entries` that include the current release, and nginx.conf where a line in it does.
including_links() {
    local link
    for link in ${entries[@]+"${entries[@]}"}; do
        [ ! -L "$link" ] || [ "$(readlink "$link")" != "$(aim_of "$link" gateway.conf)" ] || echo "$link"
    done
    ! has_line || echo "$main_file"
}

# Whether a line of nginx.conf itself includes the current release.
has_line() {
    awk -v line="$main_line" '
        { gsub(/^[ \t]+|[ \t\r]+$/, "") }
        $0 == line { found = 1; exit }
        END { exit !found }' "$main_file" 2>/dev/null
}

# The file that keeps nginx from being started, by its package or a reboot, until the first release is in force.
held_back=/etc/systemd/system/$nginx_unit.d/wecom-gateway-not-yet.conf

let_nginx_start() {
    [ -e "$held_back" ] || return 0
    rm -f "$held_back"
    rmdir --ignore-fail-on-non-empty "${held_back%/*}"
    systemctl daemon-reload
}

# Standard input, with the operator's own nginx files named as the checkout has them: nginx names the release's copies.
in_checkout() {
    local releases=$home/releases
    sed "s#$releases/[^/]*/files/nginx/#files/nginx/#g"
}

# Makes $1 a link to $2 in one step.
put_link() {
    ln -sfn "$2" "$1.new"
    mv -T "$1.new" "$1"
}

# Writes what is new in the file system of $1 to the disk; everything of the host's where coreutils, before 8.24, cannot
# do less.
sync_disk() {
    if [[ $(sync --help) == *--file-system* ]]; then sync -f "$1"; else sync; fi
}

# Has systemd start unit $1 of the release in force after a reboot. Before version 230 it enables no unit that is a link.
enable_unit() {
    local target
    ! systemctl enable --quiet "$1" 2>/dev/null || return 0
    while read -r target; do
        mkdir -p "/etc/systemd/system/$target.wants"
        ln -sfn "../$1" "/etc/systemd/system/$target.wants/$1"
    done < <(sed -n 's/^WantedBy=//p' "$home/current/units/$1")
}

# One deploy at a time; the lock goes with the process, however that ends.
take_lock() {
    (umask 022 && mkdir -p "$home" "$home/releases" "$home/upstreams")
    exec 9>>"$home/.lock"
    flock -w 120 9 || fail "another deploy has been at work on this host for two minutes; try again later"
}

# Prints the release that the running nginx serves, or nothing. nginx itself is asked, since neither a valid
# configuration nor a reload that reports success says what its workers have loaded.
running_release() {
    local answer
    # $1 in the words for bash is that bash's own.
    # shellcheck disable=SC2016
    answer=$(timeout 2 bash -c \
        'exec 3<>"/dev/tcp/127.0.0.1/$1" && printf "GET /release HTTP/1.0\r\n\r\n" >&3 && cat <&3' \
        ask "$release_port" 2>/dev/null || true)
    echo "${answer##*$'\n'}"
}

# nginx as the running one was started, with more arguments.
run_nginx() {
    # bash before 4.4 takes an empty array for an unset one
    "$nginx_program" ${nginx_options[@]+"${nginx_options[@]}"} "$@"
}

# Sets `options` to those of -c and -p that a main process was started with, by its title $1, and `config` and `prefix` to
# their values, empty where they are nginx's own.
read_options() {
    local word taken='' words
    options=() config='' prefix=''
    read -r -a words <<<"$1"
    for word in ${words[@]+"${words[@]}"}; do
        if [ -z "$taken" ]; then
            [[ $word == -[cp]* ]] || continue
            taken=${word:0:2} word=${word:2}
            [ -n "$word" ] || continue
        fi
        options+=("$taken" "$word")
        case $taken in -c) config=$word ;; -p) prefix=$word ;; esac
        taken=
    done
}

# Whether process folder $1 is that of the main process of an nginx of this host; sets `title` to its title. Those in
# containers are none, nor those that root did not start: anybody can give a process that title, and scripts run its
# program.
is_master() {
    local key real=
    title=
    IFS= read -r -d '' title 2>/dev/null <"$1/cmdline" || true
    [[ $title == "nginx: master process "* && $1/ns/pid -ef /proc/1/ns/pid ]] || return 1
    while read -r key real _; do [ "$key" != Uid: ] || break; done 2>/dev/null <"$1/status" || true
    [ "$real" = 0 ]
}

# Prints the file of a program by what /proc says of it, $1. One that was replaced since it started is told by its name:
# nginx's own `make install` calls it nginx.old then.
program_at() {
    local path=${1% (deleted)}
    [[ $path != */nginx.old || ! -e ${path%.old} ]] || path=${path%.old}
    echo "$path"
}

# The process id that systemd has of nginx, 0 where it has none.
main_pid() {
    local found=
    [ -z "$nginx_unit" ] || found=$(systemctl show -p MainPID "$nginx_unit" 2>/dev/null || true)
    found=${found#MainPID=}
    echo "${found:-0}"
}

# Prints the process id of the running nginx, nothing where it does not run.
master_pid() {
    local pid path title program options config prefix
    pid=$(main_pid)
    [ "$pid" = 0 ] || { echo "$pid"; return; }
    # systemd does not know that of a script in init.d, nor what no unit has started.
    for path in /proc/[0-9]*; do
        is_master "$path" || continue
        program=$(program_at "$(readlink "$path/exe" || true)")
        [ "$program" = "$nginx_program" ] || continue
        read_options "$title"
        [ "${options[*]-}" != "${nginx_options[*]-}" ] || { echo "${path##*/}"; return; }
    done
}

nginx_runs() {
    [ -n "$(master_pid)" ]
}

# Sends the signal that `systemctl reload` sends in the end. That one reads the whole configuration only to find the
# process, which takes seconds with a thousand sites. Callers find out by themselves whether the reload was taken.
reload_nginx() {
    if [ "$(main_pid)" != 0 ]; then
        systemctl kill --signal=HUP --kill-who=main "$nginx_unit"
    else
        kill -HUP "$(master_pid)"
    fi
}

# Whether Debian's welcome page is served, unchanged since the package put it there.
is_stock_site() {
    local original=$nginx_home/sites-available/default shipped
    [ -e "$stock_site" ] || return 1
    [ "$(readlink -f "$stock_site" 2>/dev/null)" = "$original" ] || return 1
    shipped=$(dpkg-query -W -f '${Conffiles}\n' nginx-common 2>/dev/null \
        | awk -v original="$original" '$1 == original { print $2 }')
    [ -n "$shipped" ] && [ "$(md5sum <"$stock_site" | cut -d ' ' -f 1)" = "$shipped" ]
}
