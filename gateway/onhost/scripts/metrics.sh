# Run every minute by wecom-gateway-metrics.timer: writes how the gateway, its certificates and its upstreams are into a
# file in the format of node exporter's textfile collector, of which nginx makes a part of what Prometheus reads.
shopt -s nullglob
[ -d "$home/current" ] || exit 0
now=$(date +%s)
release=$(basename "$(readlink "$home/current")")
folder=$home/releases/$release
running=$(running_release)
mkdir -p "$metrics_folder"
work=$(mktemp -d "$metrics_work/XXXXXX")
trap 'rm -rf -- "$work"' EXIT

# nginx goes on at the file's end, wherever that is, and mtail begins anew at its start: a second's lines at most are not
# counted.
[ "$(stat -c %s "$requests_log" 2>/dev/null || echo 0)" -le 16000000 ] || : >"$requests_log"

# Says what metric $1 is, of type $2: $3.
family() {
    printf '# HELP %s %s\n# TYPE %s %s\n' "$1" "$3" "$1" "$2"
}

# Whether release $release is as it was published: every file and mode, with its id where a template names it.
# What was found out counts until something in its folder changes.
is_intact() {
    local known=$metrics_folder/intact copy=$work/release start
    if [ "$(cat "$known" 2>/dev/null || true)" = "$release" ] \
        && [ -z "$(find "$folder" -cnewer "$known" -print -quit)" ]; then
        return 0
    fi
    rm -f "$known"
    start=$(date +%s.%N)
    mkdir "$copy"
    (cd "$folder" && find . -name '*.conf' -print0 | xargs -0 -r cp --parents -t "$copy" --)
    find "$copy" -type f -print0 | xargs -0 -r sed -i "s/$release/$placeholder/g" --
    awk '
        # what follows the first words of a line, and the blanks behind them
        function behind(words,    text) {
            text = $0
            while (words--) { sub(/^[^ ]+ +/, "", text) }
            return text
        }
        kind == "list" && $1 == "mode" { mode[behind(2)] = $2; next }
        kind == "list" { digest[behind(2)] = $2; next }
        kind == "copy" { digest[behind(1)] = $1; next }
        { path = behind(2); wanted[path]; if (mode[path] " " digest[path] != $1 " " $2) differs = 1 }
        END {
            for (path in mode) if (!(path in wanted) && path != "sources" && path != "build") differs = 1
            exit differs
        }' kind=list <(list_release "$release") \
        kind=copy <(cd "$copy" && find . -type f -printf '%P\0' | xargs -0 -r sha256sum --) \
        kind=sources "$folder/sources" || return 1
    echo "$release" >"$known"
    touch -d "@$start" "$known"
}

print_release() {
    family wecom_gateway_info gauge "The release that the running nginx serves, and the version that made it."
    [ -z "$running" ] || echo "wecom_gateway_info{release=\"$running\",version=\"$(head -n 1 "$home/versions/$running" 2>/dev/null || true)\"} 1"
    family wecom_gateway_release_on_disk_info gauge "The release that nginx would serve after a restart."
    echo "wecom_gateway_release_on_disk_info{release=\"$release\"} 1"
    family wecom_gateway_release_in_sync gauge "Whether these two are the same, and no file of it was changed by hand."
    if [ "$running" = "$release" ] && is_intact; then echo wecom_gateway_release_in_sync 1; else echo wecom_gateway_release_in_sync 0; fi
}

# Sets `succeeded` and `failed` by job and `active` by timer, from systemd. When a job last went well outlasts a reboot.
declare -A succeeded=() failed=() active=()
read_units() {
    local units=() path job time id result state exited boot
    for path in "$folder"/units/*.timer; do units+=("${path##*/}"); done
    units+=(wecom-gateway-resolve.service)
    [ ! -s "$folder/orders" ] || units+=(certbot.timer "$renewal_unit")
    # A power failure may leave anything there.
    while read -r job time; do
        [[ -z $job || ! $time =~ ^[0-9]+$ ]] || succeeded[$job]=$time
    done < <(cat "$metrics_folder/succeeded" 2>/dev/null || true)
    read -r boot _ </proc/uptime
    boot=$((now - ${boot%.*}))
    while read -r id result state exited; do
        if [[ $id == *.timer ]]; then
            active[$id]=0
            [ "$state" != active ] || active[$id]=1
            continue
        fi
        job=${id#wecom-gateway-} job=${job%.service}
        failed[$job]=0
        [ "$result" = success ] || failed[$job]=1
        # While it runs this is when it ran before.
        [[ $result != success || ! $exited =~ ^[1-9][0-9]*$ ]] || succeeded[$job]=$((boot + exited / 1000000))
    done < <(systemctl show -p Id,Result,ActiveState,ExecMainExitTimestampMonotonic "${units[@]}" | awk '
        function word(key) { return is[key] == "" ? "-" : is[key] }
        function told() {
            if (is["Id"] != "") print is["Id"], word("Result"), word("ActiveState"), word("ExecMainExitTimestampMonotonic")
            split("", is)
        }
        NF { place = index($0, "="); is[substr($0, 1, place - 1)] = substr($0, place + 1); next }
        { told() }
        END { told() }')
    succeeded[collect]=$now failed[collect]=0
    for job in "${!succeeded[@]}"; do echo "$job ${succeeded[$job]}"; done >"$metrics_folder/succeeded.new"
    mv "$metrics_folder/succeeded.new" "$metrics_folder/succeeded"
}

print_jobs() {
    local job
    family wecom_gateway_last_success_timestamp_seconds gauge "When a job of the gateway last went well."
    for job in "${!failed[@]}"; do
        [ -z "${succeeded[$job]-}" ] || echo "wecom_gateway_last_success_timestamp_seconds{task=\"$job\"} ${succeeded[$job]}"
    done
    family wecom_gateway_task_failed gauge "Whether a job of the gateway failed when it ran last."
    for job in "${!failed[@]}"; do echo "wecom_gateway_task_failed{task=\"$job\"} ${failed[$job]}"; done
    family wecom_gateway_timer_active gauge "Whether systemd is waiting to start the job of this timer."
    for job in "${!active[@]}"; do echo "wecom_gateway_timer_active{timer=\"$job\"} ${active[$job]}"; done
}

# Prints "FILE DOMAIN" for each certificate that is in force.
certificates() {
    local path domain
    for path in "$folder"/certs/*/fullchain.pem; do
        domain=${path%/*}
        echo "$path ${domain##*/}"
    done
    while read -r domain _; do
        path=$acme/issued/$domain/live/fullchain.pem
        [ ! -e "$path" ] || echo "$path $domain"
    done <"$folder/orders"
}

# Prints of each certificate in $work/certificates, a line each, when it ends; "-" where it cannot be read. One openssl
# reads all, as there may be a thousand; only where it does not get through is each read by itself.
ends_of_certificates() {
    local path end
    # The first one of each file.
    cut -d ' ' -f 1 "$work/certificates" | xargs -r awk '
        FNR == 1 { within = 1 }
        within { print }
        /-----END CERTIFICATE-----/ { within = 0 }' >"$work/leaves" 2>/dev/null || true
    openssl storeutl -noout -text -certs "$work/leaves" 2>/dev/null | sed -n 's/^ *Not After : //p' >"$work/ends" || true
    if [ "$(wc -l <"$work/ends")" = "$(wc -l <"$work/certificates")" ]; then
        date -f "$work/ends" +%s
        return
    fi
    while read -r path _; do
        end=$(openssl x509 -noout -enddate -in "$path" 2>/dev/null) || end=
        if [ -n "$end" ]; then date -d "${end#*=}" +%s; else echo -; fi
    done <"$work/certificates"
}

# What was read counts until one of them changes; what could not be read is tried again the next time.
print_certificates() {
    local known=$metrics_folder/certificates
    if [ "$(head -n 1 "$known" 2>/dev/null || true)" != "$release" ] \
        || [ -n "$(find "$folder/certs" "$acme" -cnewer "$known" -print -quit 2>/dev/null)" ] \
        || grep -q ' -$' "$known"; then
        certificates >"$work/certificates"
        ends_of_certificates >"$work/times"
        {
            echo "$release"
            cut -d ' ' -f 2 "$work/certificates" | paste -d ' ' - "$work/times"
        } >"$known.new"
        mv "$known.new" "$known"
    fi
    family wecom_gateway_certificate_not_after_timestamp_seconds gauge "Until when the certificate of a site is valid."
    awk 'NR > 1 && $2 != "-" {
        printf "wecom_gateway_certificate_not_after_timestamp_seconds{site=\"%s\"} %s\n", $1, $2 }' "$known"
    family wecom_gateway_certificate_readable gauge "Whether the certificate of a site can be read."
    awk 'NR > 1 { printf "wecom_gateway_certificate_readable{site=\"%s\"} %d\n", $1, $2 != "-" }' "$known"
}

# All files are asked for by one curl, as a visitor would, at the port of plain http that every site has; "by a proxy", so
# that one connection is enough. What comes has to be what was published.
print_verification() {
    mkdir "$work/verify"
    awk -v folder="$work/verify" '$3 ~ "^verify/" {
        sub("^verify/", "", $3)
        printf "url = \"http://%s\"\noutput = \"%s/%d\"\n", $3, folder, ++count
    }' "$folder/sources" >"$work/urls"
    [ ! -s "$work/urls" ] || timeout 45 curl --silent --fail --globoff --max-time 3 --user-agent "$metrics_agent" \
        --proxy http://127.0.0.1:80 --noproxy '' --config "$work/urls" || true
    family wecom_gateway_verification_file_up gauge "Whether the running nginx answers with this verification file."
    awk '
        kind == "got" { got[$2] = $1; next }
        $3 ~ "^verify/" {
            split($3, part, "/")
            printf "wecom_gateway_verification_file_up{site=\"%s\",file=\"%s\"} %d\n", part[2], part[3], (got[++count] == $2)
        }' kind=got <(cd "$work/verify" && find . -type f -printf '%P\0' | xargs -0 -r sha256sum --) \
        kind=wanted "$folder/sources"
}

# Prints "LABEL HOST SCHEME CA ADDRESS:PORT" for each address that nginx asks for an upstream in the first place, and once
# "LABEL HOST SCHEME CA -" for one that has none.
nodes() {
    local label host port scheme ca servers server file
    while read -r label host port scheme ca servers; do
        file=$home/upstreams/${host}_$port.conf
        [ -n "$servers" ] || servers=$(awk '$1 == "server" && !/ (backup|down);/ { sub(/;$/, "", $2); print $2 }' "$file" 2>/dev/null || true)
        for server in ${servers:--}; do echo "$label $host $scheme $ca $server"; done
    done <"$folder/metrics/upstreams"
}

# Prints the nodes on standard input, with "up" behind those that take a connection. All are asked at once.
connected() {
    # The variables in the words for bash are that bash's own.
    # shellcheck disable=SC2016
    xargs -r -P 32 -n 5 bash -c 'address=${5%:*} address=${address#[} state=down
        [ "$5" = - ] || ! timeout 3 bash -c ": <>/dev/tcp/${address%]}/${5##*:}" 2>/dev/null || state=up
        echo "$1 $2 $3 $4 $5 $state"' node
}

# Prints the labels of those on standard input, as `connected` prints them, of which one node that is up is what it says
# it is, as nginx would have it.
verified() {
    # As above.
    # shellcheck disable=SC2016
    awk '$6 == "up" && !seen[$1]++' | xargs -r -P 8 -n 6 bash -c '
        if [ "$3" = https ]; then
            authorities=(-CAfile "$trust") name=(-servername "$2" -verify_hostname "$2")
            [ "$4" = - ] || authorities=(-CAfile "$folder/$4")
            [[ ! $2 =~ ^[0-9.]+$|: ]] || name=(-verify_ip "$2")
            timeout 5 openssl s_client -connect "$5" "${name[@]}" "${authorities[@]}" -verify 4 -verify_return_error \
                </dev/null >/dev/null 2>&1 || exit 0
        fi
        echo "$1"' node
}

print_upstreams() {
    local since=${succeeded[resolve]-$now}
    connected < <(nodes) >"$work/nodes"
    family wecom_gateway_upstream_resolved gauge "Whether the name of an upstream resolves, or its addresses are written down."
    awk -v since=$((since - 60)) '
        kind == "memory" && $1 == "name" { looked[$2] = $3 }
        kind == "upstream" { printf "wecom_gateway_upstream_resolved{upstream=\"%s\"} %d\n", $1, (NF > 5 || looked[$2] >= since) }
        ' kind=memory "$([ -f "$memory" ] && echo "$memory" || echo /dev/null)" kind=upstream "$folder/metrics/upstreams"
    export folder
    trust=$trust_bundle verified <"$work/nodes" >"$work/verified"
    awk '
        function tell(name, help) {
            print "# HELP " name " " help "\n# TYPE " name " gauge"
        }
        kind == "verified" { verified[$1]; next }
        !($1 in nodes) { order[++count] = $1; nodes[$1] = up[$1] = 0 }
        $5 != "-" { nodes[$1]++ }
        $6 == "up" { up[$1]++ }
        END {
            tell("wecom_gateway_upstream_nodes", "Addresses that nginx asks for an upstream in the first place.")
            for (i = 1; i <= count; i++) printf "wecom_gateway_upstream_nodes{upstream=\"%s\"} %d\n", order[i], nodes[order[i]]
            tell("wecom_gateway_upstream_nodes_up", "Those of them that take a connection.")
            for (i = 1; i <= count; i++) printf "wecom_gateway_upstream_nodes_up{upstream=\"%s\"} %d\n", order[i], up[order[i]]
            tell("wecom_gateway_upstream_up", "Whether one of them does and, with TLS, is who it should be.")
            for (i = 1; i <= count; i++) printf "wecom_gateway_upstream_up{upstream=\"%s\"} %d\n", order[i], (order[i] in verified)
        }' kind=verified "$work/verified" kind=nodes "$work/nodes"
}

print_host() {
    local path device block free all count=0 master told=' ' sizes=()
    family wecom_gateway_filesystem_avail_bytes gauge "What is free on the file system of a folder."
    for path in / /var/log "$nginx_home"; do
        device=$(stat -c %d "$path" 2>/dev/null) || continue
        [[ $told != *" $device "* ]] || continue
        told+="$device "
        read -r free all block < <(stat -f -c '%a %b %S' "$path")
        echo "wecom_gateway_filesystem_avail_bytes{path=\"$path\"} $((free * block))"
        sizes+=("wecom_gateway_filesystem_size_bytes{path=\"$path\"} $((all * block))")
    done
    family wecom_gateway_filesystem_size_bytes gauge "How large the file system of a folder is."
    printf '%s\n' "${sizes[@]}"
    master=$(master_pid)
    while read -r path; do
        ! grep -qsx "PPid:[[:blank:]]$master" "${path%/*}/status" || count=$((count + 1))
    done < <(grep -alsF 'nginx: worker process is shutting down' /proc/[0-9]*/cmdline 2>/dev/null || true)
    family wecom_gateway_workers_shutting_down gauge "Workers of nginx that have still visitors from before a reload."
    echo "wecom_gateway_workers_shutting_down $count"
}

# What nginx itself counts, by the names that nginx's own exporter gives it.
print_nginx() {
    local said
    said=$(curl --silent --fail --noproxy '*' --max-time 3 "http://127.0.0.1:$release_port$status_path") || return 0
    awk '
        function tell(name, help, value) {
            print "# HELP " name " " help "\n# TYPE " name " counter\n" name " " value
        }
        /^server accepts handled requests/ {
            getline
            tell("nginx_connections_accepted", "Connections that nginx has accepted.", $1)
            tell("nginx_connections_handled", "Those of them that it has answered on.", $2)
            tell("nginx_http_requests_total", "Requests that it has read.", $3)
        }' <<<"$said"
}

read_units
{
    # The page has said already what this is.
    echo 'wecom_gateway_exporter_up{exporter="textfile"} 1'
    print_release
    print_jobs
    print_certificates
    print_verification
    print_upstreams
    print_host
    print_nginx
} >"$work/text"
chmod 644 "$work/text"
mv "$work/text" "$metrics_text"
