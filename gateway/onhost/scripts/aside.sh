# Files of the host's own nginx that a release takes the place of: put aside by name while it is in force, and back when
# it is not.

# Sets `replaced` to those that the release in folder $1 names, to none where there is no such folder.
read_replaced() {
    replaced=()
    [ ! -f "$1/replaces" ] || mapfile -t replaced <"$1/replaces"
}

is_there() {
    [ -e "$1" ] || [ -L "$1" ]
}

# Prints the files that were put aside, by the place that they come from.
print_aside() {
    [ ! -d "$aside" ] || find "$aside" ! -type d -printf '/%P\n'
}

# Prints those of them that `replaced` does not have, and whose place is free: they come back.
print_given_back() {
    local path
    [ -d "$aside" ] || return 0
    while IFS= read -r path; do
        [[ " ${replaced[*]-} " == *" $path "* ]] || is_there "$path" || echo "$path"
    done < <(print_aside)
}

# Prints where the content of file $1 is that was put aside. A link leads on from the place that it comes from.
kept_content() {
    local content=$aside$1
    [ ! -L "$content" ] || content=$(readlink "$content")
    [[ $content == /* ]] || content=${1%/*}/$content
    # It may lead to another one of them.
    is_there "$content" || ! is_there "$aside$content" || content=$aside$content
    echo "$content"
}

# Puts the files in `replaced` aside. Done again, it changes nothing. Before nginx reads the release that replaces them:
# with both in its configuration, of which each may have a default_server, it would not come up after a power failure.
put_aside() {
    local path kept earlier
    for path in ${replaced[@]+"${replaced[@]}"}; do
        is_there "$path" || continue
        kept=$aside$path
        mkdir -p "${kept%/*}"
        # Somebody has made it again. What it was at first is kept as well.
        if is_there "$kept"; then
            earlier=$home/aside-earlier/$(date -u +%Y%m%dT%H%M%SZ)$path
            mkdir -p "${earlier%/*}"
            mv -T --backup=numbered "$kept" "$earlier"
        fi
        mv -T "$path" "$kept"
    done
}

# Puts those back that are not in `replaced`. Done again, it changes nothing. After nginx has stopped to read the release
# that replaced them, for the same reason.
give_back() {
    local path part
    while IFS= read -r path; do
        (umask 022 && mkdir -p "${path%/*}")
        if [ "$(stat -c %d "$aside$path")" = "$(stat -c %d "${path%/*}")" ]; then
            mv -T "$aside$path" "$path"
            continue
        fi
        # Bit by bit, under a name that no pattern of nginx's matches. The other copy goes last, when this one is on the
        # disk under its own name: a power failure leaves at least one of them whole.
        part=${path%/*}/.${path##*/}.wecom-gateway
        cp -a -T --remove-destination "$aside$path" "$part"
        sync_disk "${path%/*}"
        mv -T "$part" "$path"
        sync_disk "${path%/*}"
        rm -f "$aside$path"
    done < <(print_given_back)
}
