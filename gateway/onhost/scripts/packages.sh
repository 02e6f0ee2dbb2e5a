# What the package manager of this host says, and what else of its system decides what nginx may do. Changes nothing.

# Sets `manager` to the package manager: apt, dnf or yum; empty where there is another one.
find_manager() {
    local name
    manager=
    for name in apt dnf yum; do
        ! type -P "$name" >/dev/null || { manager=$name && return; }
    done
}

# Sets `owner` to the package of nginx that brought program $1, empty where none did.
find_owner() {
    owner=
    if [ "$manager" = apt ]; then
        owner=$(grep -lsxF "$1" /var/lib/dpkg/info/*nginx*.list </dev/null || true)
        owner=${owner%%.list*} owner=${owner##*/}
    elif [ -n "$manager" ]; then
        owner=$(rpm -qf --qf '%{NAME}\n' "$1" 2>/dev/null) || owner=
        owner=${owner%%$'\n'*}
    fi
}

# Sets `listed` to what dpkg, where it is there, says of those packages that a gateway may need, and of package $1: it is
# asked once, as it takes its time.
list_packages() {
    [ "$manager" != apt ] || listed=$(dpkg-query -W -f '${Package} ${Status} ${Version} ${Maintainer}\n' \
        "${apt_packages[@]}" ${1:+"$1"} 2>/dev/null || true)
}

# Prints name, version and maintainer of package $1, where it is installed.
about_package() {
    local name status about
    if [ "$manager" = apt ]; then
        while read -r name _ _ status about; do
            [[ $name != "$1" || $status != installed ]] || echo "$name $about"
        done <<<"$listed"
    else
        rpm -q --qf '%{NAME} %{VERSION}-%{RELEASE} %{VENDOR}\n' "$1" 2>/dev/null || true
    fi
}

# Whether a package put file $1 there, under that name, or under the other one where /usr was merged.
is_packaged() {
    if [ "$manager" = apt ]; then
        grep -qsxF -e "$1" -e "${1#/usr}" -e "/usr$1" /var/lib/dpkg/info/*.list </dev/null
    else
        rpm -qf "$1" >/dev/null 2>&1
    fi
}

# Prints the version of nginx that would be installed, without what stands before its colon.
candidate_version() {
    local found=
    case $manager in
        apt) found=$(apt-cache policy nginx 2>/dev/null | awk '$1 == "Candidate:" { print $2 }') ;;
        dnf | yum) found=$(version_listed nginx) ;;
    esac
    echo "${found#*:}"
}

# Prints the version of package $1 that dnf or yum know. It may have to fetch their lists.
version_listed() {
    timeout -k 5 90 "$manager" -q list "$1" 2>/dev/null </dev/null \
        | awk -v name="$1" 'index($1, name ".") == 1 { found = $2 } END { print found }' || true
}

# Prints those packages that a gateway may need and that are not there; of an RPM system also programs, by their paths.
missing_packages() {
    local name said missing=()
    if [ "$manager" = apt ]; then
        for name in "${apt_packages[@]}"; do
            [[ $listed =~ (^|$'\n')"$name install ok installed" ]] || missing+=("$name")
        done
    elif [ -n "$manager" ]; then
        said=$'\n'$(rpm -q --whatprovides "${rpm_packages[@]}" 2>/dev/null || true)$'\n'
        for name in "${rpm_packages[@]}"; do
            if [[ $name == /* ]]; then
                [ -x "$name" ] || missing+=("$name")
            else
                [[ $said != *$'\n'"no package provides $name"$'\n'* ]] || missing+=("$name")
            fi
        done
    fi
    echo "${missing[*]-}"
}

# Prints what SELinux, where it is in force, lets nginx do: "selinux:connect on" or off, and "selinux:ports" with the ports
# that a web server may listen on, where there is a program that tells them.
print_selinux() {
    local said
    { type -P getenforce >/dev/null && [ "$(getenforce 2>/dev/null || true)" = Enforcing ]; } || return 0
    said=$(getsebool httpd_can_network_connect 2>/dev/null || true)
    echo "selinux:connect ${said##* }"
    type -P semanage >/dev/null || return 0
    echo "selinux:ports $(semanage port -l 2>/dev/null | awk '
        $1 == "http_port_t" && $2 == "tcp" { for (place = 3; place <= NF; place++) printf "%s ", $place }' | tr -d ,)"
}

# Prints "firewall" and the TCP ports that firewalld, where it runs, leaves open in its default zone, services by name.
print_firewall() {
    { type -P firewall-cmd >/dev/null && timeout 10 firewall-cmd --quiet --state 2>/dev/null; } || return 0
    echo "firewall $(timeout 10 firewall-cmd --list-ports 2>/dev/null || true) $(timeout 10 firewall-cmd --list-services 2>/dev/null || true)"
}
