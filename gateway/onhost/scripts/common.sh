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

# Prints those of the links in `entries` that include the current release, and nginx.conf where a line in it does.
including_links() {
    local link
    for link in "${entries[@]}"; do
        [ "$(readlink "$link")" != "$entry_target" ] || echo "$link"
    done
    ! has_line || echo "$main_file"
}

# Whether a line of nginx.conf itself includes the current release.
has_line() {
    grep -qs "^[[:blank:]]*${main_line}[[:space:]]*\$" "$main_file"
}

# The file that keeps nginx from being started, by its package or a reboot, until the first release is in force.
held_back=/etc/systemd/system/nginx.service.d/wecom-gateway-not-yet.conf

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

# Sends the signal that `systemctl reload` sends in the end. That one reads the whole configuration only to find the
# process, which takes seconds with a thousand sites. Callers find out by themselves whether the reload was taken.
reload_nginx() {
    systemctl kill --signal=HUP --kill-who=main nginx
}

# Whether Debian's welcome page is served, unchanged since the package put it there.
is_stock_site() {
    local original=$nginx_home/sites-available/default shipped
    [ "$(readlink -f "$stock_site" 2>/dev/null)" = "$original" ] || return 1
    shipped=$(dpkg-query -W -f '${Conffiles}\n' nginx-common 2>/dev/null \
        | awk -v original="$original" '$1 == original { print $2 }')
    [ -n "$shipped" ] && [ "$(md5sum <"$stock_site" | cut -d ' ' -f 1)" = "$shipped" ]
}
