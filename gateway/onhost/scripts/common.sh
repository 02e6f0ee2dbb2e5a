# Stands before every other script here. They run as root under bash on the host.
set -euo pipefail
umask 077
export LC_ALL=C
# sudo's secure_path may lack the folders of root's own programs.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin${PATH:+:$PATH}

nginx_home=/etc/nginx
home=$nginx_home/wecom-gateway
# The links by which a release can be included, one of them at a time. The first one that nginx reads behind every
# server of somebody else's that is a default by its place alone: nginx takes the first that it reads.
entries=("$nginx_home"/conf.d/{wecom-gateway,zzz-wecom-gateway}.conf "$nginx_home/sites-enabled/zzz-wecom-gateway.conf")
# What such a link says, in whichever of those folders.
entry_text=../wecom-gateway/current/gateway.conf
# Included at the top of Debian's nginx.conf, outside of http.
main_entry=$nginx_home/modules-enabled/90-wecom-gateway.conf
stock_site=$nginx_home/sites-enabled/default
# What dpkg reads before it works on packages.
dpkg_entry=/etc/dpkg/dpkg.cfg.d/wecom-gateway

fail() {
    echo "wecom-gateway: $*" >&2
    exit 1
}

# Those of them that include it.
including_links() {
    local link
    for link in "${entries[@]}"; do
        [ "$(readlink "$link")" != $entry_text ] || echo "$link"
    done
}

# While a deploy installs nginx: neither the package nor a reboot starts it before a release is in force.
held_back=/etc/systemd/system/nginx.service.d/wecom-gateway-not-yet.conf

let_nginx_start() {
    [ -e "$held_back" ] || return 0
    rm -f "$held_back"
    rmdir --ignore-fail-on-non-empty "${held_back%/*}"
    systemctl daemon-reload
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

# The release that the running nginx serves, or nothing. Asked over the loopback interface because
# neither a valid configuration nor a reload that reports success says what the workers have loaded.
running_release() {
    local answer
    answer=$(timeout 2 bash -c \
        'exec 3<>/dev/tcp/127.0.0.1/19001 && printf "GET /release HTTP/1.0\r\n\r\n" >&3 && cat <&3' 2>/dev/null || true)
    echo "${answer##*$'\n'}"
}

# The signal that `systemctl reload` ends in. That one reads the whole configuration once more only to find the
# process, which takes seconds with a thousand sites; whether the reload was taken is asked afterwards anyway.
reload_nginx() {
    systemctl kill --signal=HUP --kill-who=main nginx
}

# Debian's welcome page, unchanged since the package put it there.
is_stock_site() {
    [ "$(readlink -f "$stock_site" 2>/dev/null)" = $nginx_home/sites-available/default ] || return 1
    local shipped
    shipped=$(dpkg-query -W -f '${Conffiles}\n' nginx-common 2>/dev/null \
        | awk '$1 == "/etc/nginx/sites-available/default" { print $2 }')
    [ -n "$shipped" ] && [ "$(md5sum <"$stock_site" | cut -d ' ' -f 1)" = "$shipped" ]
}
