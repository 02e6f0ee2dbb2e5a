# Finds the nginx of this host that a gateway is to use, and those beside it. Changes nothing.

# Places where builds from source and hosting panels put nginx.
usual_places=(/usr/local/{nginx/sbin,openresty/nginx/sbin,sbin,bin,tengine/sbin}/nginx /opt/nginx/sbin/nginx
    /www/server/nginx/sbin/nginx)
# Units that start one, by the names that their packages and builders give them.
usual_units=("$nginx_unit" openresty.service tengine.service)

# Fills the arrays `programs`, `pids`, `units` and `commands`, each with one place for every nginx that runs on this host
# or lies where packages, builds from source, panels or nginx's unit have it. The process id is 0 where it does not run;
# the unit may be empty; the command is the title of the process.
find_every_nginx() {
    local path title program
    programs=() pids=() units=() commands=()
    for path in /proc/[0-9]*; do
        is_master "$path" || continue
        program=$(readlink "$path/exe") || continue
        unit_of "${path#/proc/}"
        programs+=("$(program_at "$program")") pids+=("${path#/proc/}") units+=("$unit") commands+=("$title")
    done
    if [ -n "$packaged_nginx" ] && ! runs_packaged; then
        programs+=("$packaged_nginx") pids+=(0) units+=('') commands+=('')
    fi
    for path in "$(type -P nginx || true)" "${usual_places[@]}" "$([ -n "$packaged_nginx" ] || program_of_unit)"; do
        { [ -n "$path" ] && [ -x "$path" ] && path=$(readlink -f "$path"); } || continue
        [[ " ${programs[*]-} " != *" $path "* ]] || continue
        programs+=("$path") pids+=(0) units+=('') commands+=('')
    done
}

# Whether nginx's unit runs the package's nginx.
runs_packaged() {
    local place
    for place in "${!programs[@]}"; do
        [ "${programs[$place]} ${units[$place]}" != "$packaged_nginx $nginx_unit" ] || return 0
    done
    return 1
}

# Prints the program that nginx's unit starts, where it starts an nginx.
program_of_unit() {
    local said
    said=$(started_by "$nginx_unit")
    # A script in init.d has that name too.
    [[ $said != */nginx || $said == /etc/* ]] || echo "$said"
}

# Prints the program that unit $1 starts, as the unit has it.
started_by() {
    local said
    said=$(systemctl show -p ExecStart "$1" 2>/dev/null || true)
    said=${said#*path=}
    echo "${said%% ;*}"
}

# Sets `in_use` to the place in the arrays of the nginx that a gateway is to use: the one that has a release already, else
# the package's where its unit runs it, else the only one that runs, else one that is installed. Empty where there is
# none, and where it could be any of several.
choose_nginx() {
    local place packaged='' running=() installed=()
    in_use='' recorded=
    # What was recorded before this was is the package's.
    [ ! -L "$home/current" ] || recorded="$packaged_nginx "
    [ ! -f "$home/nginx" ] || IFS= read -r recorded <"$home/nginx" || true
    for place in "${!programs[@]}"; do
        if [ "${programs[$place]}" = "$packaged_nginx" ]; then
            # Others run it with a main file or a unit of their own.
            [[ ${pids[$place]} = 0 || ${units[$place]} = "$nginx_unit" ]] || continue
            packaged=$place
        fi
        if is_recorded "$place"; then in_use=$place && return; fi
        if [ "${pids[$place]}" = 0 ]; then installed+=("$place"); else running+=("$place"); fi
    done
    if [ -n "$packaged" ] && [ "${pids[$packaged]}" != 0 ]; then in_use=$packaged
    elif [ ${#running[@]} = 1 ]; then in_use=${running[0]}
    elif [ -n "$packaged" ]; then in_use=$packaged
    elif [ ${#running[@]} = 0 ] && [ ${#installed[@]} = 1 ]; then in_use=${installed[0]}
    fi
}

# Whether nginx number $1 is the one with a release. How one is started that does not run is not known.
is_recorded() {
    local options config prefix
    read_options "${commands[$1]}"
    if [ "${pids[$1]}" = 0 ]; then [ "${programs[$1]}" = "${recorded%% *}" ]; else [ "${programs[$1]} ${options[*]-}" = "$recorded" ]; fi
}

# Sets the constants of scripts to those of the nginx in use, and `said` to what it says of how it was built.
use_nginx() {
    local options config prefix title=${commands[$in_use]}
    [ -n "$title" ] || [ "${programs[$in_use]}" != "${recorded%% *}" ] || title=$recorded
    read_options "$title"
    nginx_program=${programs[$in_use]}
    nginx_options=(${options[@]+"${options[@]}"})
    said=$("$nginx_program" -V 2>&1 || true)
    prefix=${prefix:-$(built_in prefix)} prefix=${prefix:-/usr/local/nginx} prefix=${prefix%/}
    main_file=${config:-$(built_in conf-path)} main_file=${main_file:-conf/nginx.conf}
    [[ $main_file == /* ]] || main_file=$prefix/$main_file
    nginx_home=${main_file%/*}
    error_log=$(built_in error-log-path) error_log=${error_log:-logs/error.log}
    # Debian's, which its nginx.conf names a file for.
    [ "$error_log" != stderr ] || error_log=$log_folder/error.log
    [[ $error_log == /* ]] || error_log=$prefix/$error_log
    nginx_user=$(built_in user) nginx_user=${nginx_user:-nobody}
    [ "$nginx_program" = "$packaged_nginx" ] || nginx_unit=$(unit_to_use)
    [ "$nginx_home" = "${home%/*}" ] || entries=()
    mapfile -t -O ${#entries[@]} entries < <(more_entries)
    main_entry=$nginx_home/${main_entry#"${home%/*}"/}
    # Debian has a folder of that name too, for something else.
    [[ $manager != [dy]* || $nginx_program != "$packaged_nginx" || ! -d ${rpm_main_entry%/*} ]] || main_entry=$rpm_main_entry
}

# Prints the value that nginx was built with for option $1, empty where that is nginx's own.
built_in() {
    local word
    for word in ${said#*configure arguments:}; do
        [[ $word != "--$1="* ]] || { echo "${word#*=}"; return; }
    done
}

# Prints the unit by which the nginx in use is started, nothing where it is none.
unit_to_use() {
    local found=${units[$in_use]} pid=${pids[$in_use]} said_of_unit
    if [ -n "$found" ]; then
        [[ " ${usual_units[*]} " != *" $found "* ]] || { echo "$found"; return; }
        [ "$(systemctl show -p MainPID "$found" 2>/dev/null || true)" != "MainPID=$pid" ] || { echo "$found"; return; }
    fi
    for found in "${usual_units[@]}"; do
        said_of_unit=$({ systemctl cat "$found" && cat "/etc/init.d/${found%.service}"; } 2>/dev/null || true)
        # The unit may name a link to the program.
        if [[ $said_of_unit == *"$nginx_program"* ]] \
            || [ "$(readlink -f "$(started_by "$found")" || true)" = "$nginx_program" ]; then
            echo "$found"
            return
        fi
    done
}

# Prints the links, besides those that `entries` has, by which the main file may include a release: one in each folder
# whose files it includes behind the beginning of its http block, and one in conf.d, which another file may include.
more_entries() {
    local pattern folder link told=' '
    while read -r pattern; do
        folder=${pattern%/*}
        [[ $folder == /* ]] || folder=$nginx_home/$folder
        [[ $folder =~ ^[A-Za-z0-9_./-]+$ && $folder != *..* && -d $folder ]] || continue
        [[ ${folder%/*} = "$nginx_home" || $folder/ != "$nginx_home"/* ]] || continue
        [[ " ${entries[*]-}$told" != *" $folder/"* ]] || continue
        link=$folder/zzz-wecom-gateway.conf
        told+="$link "
        echo "$link"
    done < <(awk '
        { sub(/#.*/, "") }
        /(^|[ \t;}])http[ \t]*(\{|$)/ { inside = 1 }
        inside && match($0, /include[ \t]+[^; \t{}]*\/\*(\.conf)?[ \t]*;/) {
            found = substr($0, RSTART, RLENGTH - 1)
            gsub(/^include[ \t]+|[ \t]+$/, "", found)
            print found
        }' "$main_file" 2>/dev/null && echo "conf.d/*.conf")
}

# Prints place $2 of the layout under its name, $1.
say_layout() {
    echo "layout:$1 $2"
}

# Prints what has been set.
print_layout() {
    local path
    say_layout program "$nginx_program"
    say_layout main_file "$main_file"
    say_layout options "${nginx_options[*]-}"
    say_layout unit "$nginx_unit"
    say_layout entries "${entries[*]-}"
    say_layout main_entry "$main_entry"
    say_layout error_log "$error_log"
    [ "$nginx_program" = "$packaged_nginx" ] || say_layout user "$nginx_user"
    while IFS= read -r path; do
        [ "$path" = "$logrotate_entry" ] || return 0
    done < <(grep -lsF "$log_folder/" /etc/logrotate.conf /etc/logrotate.d/* || true)
    say_layout rotated no
}

# Prints where the system's trust store is, where it has one.
print_trust_store() {
    local bundle folder
    for bundle in "$trust_bundle" /etc/pki/tls/certs/ca-bundle.crt; do
        [ -f "$bundle" ] || continue
        say_layout bundle "$bundle"
        for folder in /etc/ssl/certs /etc/pki/ca-trust/extracted/pem/directory-hash; do
            ! compgen -G "$folder/*.0" >/dev/null || { say_layout trust_folder "$folder" && return; }
        done
        say_layout trust_folder ""
        return
    done
}
