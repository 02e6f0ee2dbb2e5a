# What a release changes outside of its own folder, and how nginx is asked about it before.

# Files that the release looked at takes the place of (aside.sh).
replaced=()

# Connections that each worker may hold. Debian's 768 are taken by some 380 visitors, and nginx knows no other place
# for the number than its main file.
connections=16384

# Prints nginx.conf, from standard input, with the number raised to that; a larger one stays, and nothing else changes.
# An events block without a number, where nginx takes 512, gets one, unless it includes other files that may have it.
raise_connections() {
    awk -v least=$connections '
        { lines[NR] = $0; code = $0; sub(/#.*/, "", code); codes[NR] = code; text = text code "\n" }
        END {
            lacks = text !~ /worker_connections/ && match(text, /events[ \t\n]*\{[^}]*\}/) \
                && substr(text, RSTART, RLENGTH) !~ /include/
            for (number = 1; number <= NR; number++) print raised(lines[number], codes[number])
        }
        function raised(line, code,    found, number, place) {
            if (lacks && code ~ /(^|[ \t;}])events[ \t]*\{/) {
                lacks = 0
                match(line, /events[ \t]*\{/)
                return substr(line, 1, RSTART + RLENGTH - 1) " worker_connections " least ";" substr(line, RSTART + RLENGTH)
            }
            if (!match(code, /worker_connections[ \t]+[0-9]+/)) return line
            found = substr(code, RSTART, RLENGTH)
            number = found
            sub(/.*[ \t]/, "", number)
            if (number + 0 >= least) return line
            place = RSTART + RLENGTH
            return substr(line, 1, place - 1 - length(number)) least substr(line, place) " # " number " before wecom-gateway"
        }'
}

# Prints nginx.conf, from standard input, with the number that stood there before.
lower_connections() {
    sed -E 's/(worker_connections[[:blank:]]+)[0-9]+(.*) # ([0-9]+) before wecom-gateway$/\1\3\2/'
}

# Prints nginx.conf, from standard input, without the line that includes the current release.
without_line() {
    awk -v line="$main_line" '{ rest = $0; gsub(/^[ \t]+|[ \t\r]+$/, "", rest) } rest != line'
}

# Prints nginx.conf, from standard input, with the lines $@ at the end of its http block, before the line of the bracket
# that closes it, or before the bracket where that has more in front of it. Fails where there is no such block.
with_lines() {
    awk -v lines="$(printf '    %s\n' "$@")" '
        { text = text $0 "\n" }
        END {
            # What stands in comments and quotes, and behind a backslash, is no bracket; nor is that of ${name}.
            for (place = 1; place <= length(text); place++) {
                one = substr(text, place, 1)
                if (one == "\\") { place++; continue }
                if (quote != "") { if (one == quote) quote = ""; continue }
                if (one == "#" && (word == "" || word ~ /[;{}]$/)) {
                    while (substr(text, place, 1) != "\n" && place < length(text)) place++
                    one = "\n"
                }
                if (one ~ /["\047]/ && word == "") { quote = one; continue }
                if (one == "{" && word ~ /\$$/) { while (substr(text, place, 1) != "}") place++; continue }
                if (one == "{") { if (!depth++ && (word == "http" || (word == "" && last == "http"))) inside = 1 }
                if (one == "}" && !--depth && inside) {
                    head = substr(text, 1, place - 1)
                    if (match(head, /\n[ \t]*$/)) place = RSTART + 1
                    else lines = "\n" lines
                    printf "%s%s\n%s", substr(text, 1, place - 1), lines, substr(text, place)
                    exit
                }
                if (one ~ /[ \t\n;{}]/) { if (word != "") last = word; word = ""; if (one ~ /[;{}]/) last = "" }
                else word = word one
            }
            exit 1
        }'
}

# Whether nginx.conf is a conffile of dpkg's: dpkg asks before an upgrade replaces it where it was edited.
knows_nginx_conf() {
    shipped_conffiles
    [[ $conffiles == *" $main_file "* ]]
}

# Whether standard input is nginx.conf as its package brought it.
is_shipped() {
    local sum
    sum=$(md5sum)
    shipped_conffiles
    [[ $'\n'$conffiles$'\n' == *$'\n'" $main_file ${sum%% *}"$'\n'* ]]
}

# Sets `conffiles` to what dpkg says of the conffiles of nginx's packages, a line each: " PATH MD5". Asked once in a run,
# as dpkg takes its time.
conffiles=
shipped_conffiles() {
    [ -n "$conffiles" ] || conffiles=$(dpkg-query -W -f '${Conffiles}\n' nginx-common nginx 2>/dev/null || true)
}

# Whether nginx.conf includes the folder of main_entry, outside of http.
has_main_entry() {
    local folder=${main_entry%/*} names
    # relative to its own folder, too
    names=$folder
    [ "${folder%/*}" != "$nginx_home" ] || names="($nginx_home/)?${folder##*/}"
    [ -d "$folder" ] && grep -qsE "^[[:space:]]*include[[:space:]]+$names/\*\.conf;" "$main_file"
}

# Whether Debian's welcome page has to go when a release comes into force; `remove_stock` is "yes" or "no" from then on.
# Looked at once in a run: an activation removes the page, and puts it back by what was seen before.
remove_stock=
stock_site_goes() {
    if [ -z "$remove_stock" ]; then
        if is_stock_site; then remove_stock=yes; else remove_stock=no; fi
    fi
    [ $remove_stock = yes ]
}

# Prints the files that come, go or lead elsewhere with a release: the gateway's own links, and what a release replaces.
moving_files() {
    printf '%s\n' "$main_entry" ${entries[@]+"${entries[@]}"} ${replaced[@]+"${replaced[@]}"}
    print_given_back
}

# Sets `inside` to the names of those folders in the main file's own that such a file may be in, and `outside` to the
# other folders, each once, and before the one around it.
find_moving_folders() {
    local path folder
    inside=() outside=()
    while IFS= read -r path; do
        folder=${path%/*}
        case $path in
            "$nginx_home"/*) [[ " ${inside[*]-} " == *" ${folder##*/} "* ]] || inside+=("${folder##*/}") ;;
            *) [[ " ${outside[*]-} " == *" $folder "* ]] || outside+=("$folder") ;;
        esac
    done < <(moving_files)
    [ ${#outside[@]} -le 1 ] || mapfile -t outside < <(printf '%s\n' ${outside[@]+"${outside[@]}"} | sort -r)
}

# Prints where path $2 is in a configuration that was made once more in folder $1.
in_shadow() {
    local folder=${2%/*}
    case $2 in
        "$nginx_home"/*) echo "$1/${2#"$nginx_home"/}" ;;
        *) echo "$1/.outside/${folder//\//_}/${2##*/}" ;;
    esac
}

# Standard input, with the names that files have in the configuration in folder $1.
with_names_of() {
    local folder rules=() start="\\(^\\|[[:blank:]\"';{=:]\\)"
    for folder in ${outside[@]+"${outside[@]}"}; do rules+=(-e "s#$start$folder/#\\1$(in_shadow "$1" "$folder/")#g"); done
    # What main files name relative to a folder above theirs.
    sed -e "s#$nginx_home/#$1/#g" ${rules[@]+"${rules[@]}"} -e "s#\([[:blank:]\"']\)\.\./#\1$nginx_home/../#g"
}

# Standard input, with the host's own names in the place of those that files have in the configuration in folder $1.
with_own_names() {
    local folder rules=()
    for folder in ${outside[@]+"${outside[@]}"}; do rules+=(-e "s#$(in_shadow "$1" "$folder/")#$folder/#g"); done
    sed ${rules[@]+"${rules[@]}"} -e "s#$1/#$nginx_home/#g"
}

# Makes the host's nginx configuration, without the gateway's own links and without a welcome page that goes, once more
# in folder $1, where nginx can test it: nothing changes that a restart of nginx would pick up. Files there are links,
# but for those that name the folders that are made anew, which are copies with the other names. What is in `replaced`
# is left out; what was put aside and is not in it is there again. with_names_of and with_own_names are for after it.
shadow_configuration() {
    local shadow=$1 path name same=() others=(! -path "$main_entry") named=(-e "[[:blank:]\"']\.\./")
    find_moving_folders
    for path in ${entries[@]+"${entries[@]}"} ${replaced[@]+"${replaced[@]}"}; do others+=(! -path "$path"); done
    for name in ${inside[@]+"${inside[@]}"}; do named+=(-e "$nginx_home/$name/"); done
    for path in ${outside[@]+"${outside[@]}"}; do named+=(-e "$path/"); done
    ! stock_site_goes || others+=(! -path "$stock_site")
    for path in "$nginx_home"/*; do
        name=${path##*/}
        if [ "$path" = "$main_file" ]; then
            continue
        elif [ -d "$path" ] && [[ " ${inside[*]-} " == *" $name "* ]]; then
            mkdir "$shadow/$name"
            find -H "$path" -mindepth 1 -maxdepth 1 "${others[@]}" -exec ln -s -t "$shadow/$name" {} +
        else
            same+=("$path")
        fi
    done
    [ ${#same[@]} = 0 ] || ln -s -t "$shadow" "${same[@]}"
    for path in ${outside[@]+"${outside[@]}"}; do
        name=$(in_shadow "$shadow" "$path/")
        mkdir -p "$name"
        # A panel may have gone, with its folders.
        [ ! -d "$path" ] || find -H "$path" -mindepth 1 -maxdepth 1 "${others[@]}" -exec ln -s -t "$name" {} +
    done
    while IFS= read -r path; do
        name=$(in_shadow "$shadow" "$path")
        mkdir -p "${name%/*}"
        ln -s "$(kept_content "$path")" "$name"
    done < <(print_given_back)
    # In whichever file a name stands, nginx takes it for relative to the main file's folder.
    while IFS= read -r path; do
        with_names_of "$shadow" <"$path" >"$path.new" && mv -T "$path.new" "$path"
    done < <(find "$shadow" -type l -xtype f -exec grep -lsI "${named[@]}" {} + || true)
    raise_connections <"$main_file" | without_line | with_names_of "$shadow" >"$shadow/${main_file##*/}"
}

# Adds to the configuration in folder $1 those TLS servers of release $2 that wait for an ACME server's certificate and
# have directives of the operator's own. They get a certificate for the test: else nginx would read the directives for
# the first time when the real one is there, and refuse that with them. Folder $3 is one that nginx.conf includes.
add_waiting_servers() {
    local shadow=$1 release=$2 folder=$3 path domain
    for path in "$release"/acme/*.conf; do
        domain=${path##*/}
        domain=${domain%.conf}
        { [ -f "$release/files/nginx/$domain.conf" ] && [ ! -e "$acme/issued/$domain" ]; } || continue
        [ -f "$shadow/.waiting/fullchain.pem" ] || {
            mkdir "$shadow/.waiting"
            openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1 -subj /CN=waiting.invalid \
                -keyout "$shadow/.waiting/privkey.pem" -out "$shadow/.waiting/fullchain.pem" 2>/dev/null || return 0
        }
        sed "s#$acme/issued/$domain/live/#$shadow/.waiting/#" "$path" >"$folder/zzzz-waiting-$domain.conf"
    done
}

# Has nginx test the configuration as it would be: the host's own, made once more in folder $1, with the release in
# folder $2 included by link $3, or by a line where $3 is nginx.conf. Prints what nginx says. Fails with 2 where nginx
# would never read the release; with 3, and prints its name, where it reads a file all the same that is in `replaced`.
test_candidate() {
    local shadow=$1 release=$2 link read path
    link=$(in_shadow "$1" "$3")
    shadow_configuration "$shadow"
    if [ "$3" = "$main_file" ]; then
        mkdir "$shadow/.included"
        with_lines "include $release/gateway.conf;" "include $shadow/.included/*.conf;" <"$link" >"$shadow/.lined" || return 2
        mv -T "$shadow/.lined" "$link"
        add_waiting_servers "$shadow" "$release" "$shadow/.included"
    else
        ln -s "$release/gateway.conf" "$link"
        add_waiting_servers "$shadow" "$release" "${link%/*}"
    fi
    ! has_main_entry || ln -s "$release/main.conf" "$(in_shadow "$shadow" "$main_entry")"
    run_nginx -T -q -c "$(in_shadow "$shadow" "$main_file")" 2>"$shadow/.said" >"$shadow/.dump" || {
        with_own_names "$shadow" <"$shadow/.said" | in_checkout
        return 1
    }
    for path in ${replaced[@]+"${replaced[@]}"}; do
        ! grep -qxF "# configuration file $path:" "$shadow/.dump" || { echo "$path" && return 3; }
    done
    with_own_names "$shadow" <"$shadow/.said" | in_checkout
    read=$(grep -cxF "# configuration file $release/release.conf:" "$shadow/.dump" || true)
    [ "$read" != 0 ] || return 2
}

# nginx.conf as it was before the activation that is under way.
before=$home/nginx.conf.before

# Prints nginx.conf, from standard input, as a release needs it that is included by $1: a link, or nginx.conf itself.
as_included_by() {
    if [ "$1" = "$main_file" ]; then
        raise_connections | without_line | with_lines "$main_line"
    else
        raise_connections | without_line
    fi
}

# Removes the copy that a killed activation has left where somebody has edited nginx.conf since. $1 is as there.
drop_stale_copy() {
    [ ! -f "$before" ] || [ "$(as_included_by "$1" <"$before")" = "$(<"$main_file")" ] || rm -f "$before"
}

replace_nginx_conf() {
    local real
    real=$(readlink -f "$main_file")
    # Owner and mode stay.
    cp -p "$real" "$real.wecom-gateway" && cat "$1" >"$real.wecom-gateway" && sync "$real.wecom-gateway" \
        && mv -T "$real.wecom-gateway" "$real" && return
    rm -f "$real.wecom-gateway"
    return 1
}

# Includes the current release from nginx's own configuration by link $2, or by a line where $2 is nginx.conf, and
# raises the connections there. Folder $1 is for temporary files.
#
# What included it before goes first: twice, nginx would not come up after a power failure in between.
include_release() {
    local link
    for link in ${entries[@]+"${entries[@]}"}; do [ "$link" = "$2" ] || rm -f "$link"; done
    ! has_main_entry || put_link "$main_entry" "$(aim_of "$main_entry" main.conf)"
    as_included_by "$2" <"$main_file" >"$1/raised"
    if ! cmp -s "$main_file" "$1/raised"; then
        cp -p "$main_file" "$before"
        replace_nginx_conf "$1/raised"
    fi
    [ "$2" = "$main_file" ] || put_link "$2" "$(aim_of "$2" gateway.conf)"
}

# Whether there is nothing left for include_release to do outside of conf.d.
has_room() {
    [ -f "$main_file" ] || return 1
    if has_main_entry; then
        [ "$(readlink "$main_entry")" = "$(aim_of "$main_entry" main.conf)" ] || return 1
    elif [ -f "$home/current/egress.conf" ]; then
        return 1
    fi
    [ "$(raise_connections <"$main_file")" = "$(<"$main_file")" ]
}

# Puts nginx.conf back as it was. $1 is what is to include a release then: nginx.conf, a link, or nothing. The copy may be of an
# activation that was killed while it went from one to another.
restore_nginx_conf() {
    if [ -f "$before" ]; then
        replace_nginx_conf "$before"
        rm -f "$before"
    fi
    if [ "$1" = "$main_file" ]; then
        has_line || { with_lines "$main_line" <"$main_file" >"$before.new" && replace_nginx_conf "$before.new"; }
    elif has_line; then
        without_line <"$main_file" >"$before.new" && replace_nginx_conf "$before.new"
    fi
    rm -f "$before.new"
}

# Stops and removes those units of the gateway's that folder $1 does not have, all of them where $1 is empty. Prints their
# names.
drop_units() {
    local link unit
    for link in /etc/systemd/system/wecom-gateway-*; do
        unit=${link##*/}
        { [ "$(readlink "$link")" = "$home/current/units/$unit" ] && [ ! -e "$1/$unit" ]; } || continue
        systemctl stop "$unit" 2>/dev/null || true
        rm -f "$link" /etc/systemd/system/*.wants/"$unit"
        echo "$unit"
    done
}
