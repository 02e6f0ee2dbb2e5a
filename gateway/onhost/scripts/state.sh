# Prints what a deploy has to know of the host, one "key value" a line. Changes nothing. It runs on every host in
# every deploy, so it starts few processes. Where $1 is "whole", it also prints the sites of every other nginx.
[ "$EUID" = 0 ] || fail "this runs as $(id -un), not as root; set \`_sudo = True\` in group_data/all.py and no \`_sudo_user\`"
shopt -s nullglob

text_of() {
    [ ! -r "$1" ] || echo "$(<"$1")"
}

# The first line of file $1, empty where there is none: what follows would be read as further facts of the host.
line_of() {
    local line=
    [ ! -f "$1" ] || IFS= read -r -n 2000 line <"$1" || true
    echo "$line"
}

# Of what `nginx -V` says ($1) the version of OpenSSL, "-" where it is another library:
# "built with OpenSSL 3.0.8 ... (running with OpenSSL 3.0.17 ...)", of which the last one counts.
openssl_of() {
    local found=${1##*OpenSSL }
    [[ $1 == *"OpenSSL "* ]] || found=-
    echo "${found%%[[:space:])]*}"
}

# Of what `nginx -V` says ($1) the version; nginx's own where it is something made from nginx.
version_of() {
    local found=${1#*nginx version: }
    echo "${found%%[[:space:]]*}"
}

# Of what `nginx -V` says ($1) the TLS library, where it is not OpenSSL, and which modules nginx was built with or without.
built_with() {
    local word found=()
    [[ $1 != *" LibreSSL "* ]] || found+=(LibreSSL)
    [[ $1 != *" BoringSSL"* ]] || found+=(BoringSSL)
    for word in ${1#*configure arguments:}; do
        # words of what is asked of the compiler are among them
        [[ $word != --with*_module && $word != --with*=dynamic && $word != --with-stream && $word != --without-* ]] || found+=("$word")
    done
    echo "${found[*]-}"
}

# What the system calls itself.
system_name() {
    local key value
    while IFS='=' read -r key value; do
        [ "$key" != PRETTY_NAME ] || { value=${value#[\"\']} && echo "${value%[\"\']}"; return; }
    done <<<"$(text_of /etc/os-release)"
}

# Whether a file is in its place.
place_of() {
    if is_there "$1"; then echo there; else echo away; fi
}

echo "system $(system_name)"
find_manager
say_layout packages "$manager"
packaged_nginx='' owner='' in_use=
[ ! -x "$nginx_program" ] || find_owner "$nginx_program"
[ -z "$owner" ] || packaged_nginx=$nginx_program
list_packages "$owner"
find_every_nginx
choose_nginx
if [ -n "$in_use" ]; then
    use_nginx
    [ "$nginx_program" = "$packaged_nginx" ] || owner=
    echo "version $(version_of "$said")"
    echo "openssl $(openssl_of "$said")"
    echo "built $(built_with "$said")"
    if [ -n "$owner" ]; then echo "package $(about_package "$owner")"; else echo "foreign yes"; fi
    print_layout
else
    candidate=$(candidate_version)
    echo "candidate $candidate"
    # Where nginx may come from, should no repository of this system have it.
    [[ -n $candidate || $manager != [dy]* || -z $(version_listed epel-release) ]] || echo "epel yes"
fi
print_trust_store
echo "missing $(missing_packages)"
print_selinux
print_firewall
if [ -e /proc/net/if_inet6 ]; then echo "ipv6 yes"; else echo "ipv6 no"; fi
current=$(readlink "$home/current" || true)
echo "current $current"
if [ -n "$current" ]; then
    echo "digest $(digest_of_release "${current#releases/}")"
    echo "product $(line_of "$home/versions/${current#releases/}")"
fi
echo "activated $(line_of "$home/activated")"
while IFS= read -r path; do echo "aside:$path $(place_of "$path")"; done < <(print_aside)
# nginx does not read those now; it does read what was made again.
mapfile -t replaced < <(print_given_back)
[ ! -f "$home/current/replaces" ] || while IFS= read -r path; do
    echo "replaces:$path $(place_of "$path")"
done <"$home/current/replaces"
for path in $(including_links); do echo "entry:$path yes"; done
if has_room; then echo "room yes"; else echo "room no"; fi
echo "running $(running_release)"
history=$(text_of "$home/history")
echo "history ${history//$'\n'/ }"
for release in $history; do
    echo "origin:$release $(line_of "$home/origins/$release")"
    echo "version:$release $(line_of "$home/versions/$release")"
done

# What else is on this host.
print_unit
# As seen above, where it runs: systemd takes longer to tell.
main_process=0
[ -z "$in_use" ] || main_process=${pids[$in_use]}
[[ -z $in_use || $main_process != 0 ]] || main_process=$(master_pid)
echo "main_pid $main_process"
print_listeners
print_foreign_nginx "${1-}"
print_groups
[ -z "$in_use" ] || print_configuration

# Upstreams of the release in force whose names have never resolved here. The folder has those of earlier releases too.
unresolved=()
while read -r name port; do
    ! [[ $(text_of "$home/upstreams/${name}_$port.conf") == *down\;* ]] || unresolved+=("$name")
done <<<"$(text_of "$home/current/upstreams")"
echo "unresolved ${unresolved[*]-}"

# Certificates from ACME servers: until when they are valid, what they were asked for with, what went wrong last.
for path in "$acme"/issued/*/; do
    domain=${path%/} domain=${domain##*/}
    ends=$(openssl x509 -noout -enddate -in "$path/live/fullchain.pem" 2>/dev/null || true)
    echo "ends:$domain ${ends#notAfter=}"
    echo "order:$domain $(line_of "$path/order")"
done
for path in "$acme"/failed/*; do
    echo "failed:${path##*/} $(line_of "$path")"
done
