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
    while IFS= read -r path; do
        [[ " ${replaced[*]-} " == *" $path "* ]] || is_there "$path" || echo "$path"
    done < <(print_aside)
}

# Prints where the content of file $1 is that was put aside. A link leads on from the place that it comes from.
kept_content() {
    local content=$aside$1
    [ ! -L "$content" ] || content=$(readlink "$content")
    [[ $content == /* ]] || content=${1%/*}/$content
    echo "$content"
}

# Puts the files in `replaced` aside, and back those that are not in it. Done again, it changes nothing.
arrange_replaced() {
    local path kept
    while IFS= read -r path; do
        mv -T "$aside$path" "$path"
    done < <(print_given_back)
    for path in ${replaced[@]+"${replaced[@]}"}; do
        is_there "$path" || continue
        kept=$aside$path
        mkdir -p "${kept%/*}"
        # Somebody has made it again. What it was at first is kept as well.
        if is_there "$kept"; then
            mkdir -p "$home/aside-earlier"
            mv -T "$kept" "$home/aside-earlier/$(date -u +%Y%m%dT%H%M%SZ).${path##*/}"
        fi
        mv -T "$path" "$kept"
    done
}
