# The addresses of upstreams. Some names have the same few for years and then move; others, a CDN's, are answered
# differently each time. An address is kept for ten minutes after it was last seen. What nginx makes of it depends:
#
# - An answer that has changed once is a move: only the new addresses are asked, and the old ones are `backup`, of which
#   nginx thinks when none of the others answers.
# - An answer that has changed twice within twenty minutes rotates: all addresses are as good as those seen last, but
#   one that takes no connections any more is `backup`, since finding that out would cost a visitor five seconds.

# Seconds that an address is kept, and within which two changes are a rotation.
kept=600 rotation=1200
# What was seen when: "name HOST LOOKED CHANGED CHANGED-BEFORE" and "address HOST ADDRESS SEEN". Gone with a reboot, after
# which the addresses in use count as just seen.
memory=/run/wecom-gateway-addresses

# "host address" for each address that the names in file $1 ("host port" a line) have, as nginx reads them; nothing for
# a name that does not resolve. Dead names are waited for side by side.
resolve_names() {
    local wanted=all
    # Without a way out by IPv6 its addresses are only failed attempts.
    awk '$1 ~ /^0+$/ && $2 == "00" && $NF != "lo" { found = 1 } END { exit !found }' /proc/net/ipv6_route 2>/dev/null \
        || wanted=ipv4
    # $1 in the words for sh is sh's own.
    # shellcheck disable=SC2016
    cut -d ' ' -f 1 "$1" | sort -u \
        | xargs -r -P 32 -n 1 sh -c 'timeout 10 getent ahosts "$1" | cut -d " " -f 1 | sort -u | sed "s/^/$1 /"' name \
        | awk -v wanted=$wanted '$2 !~ /:/ { print } $2 ~ /:/ && wanted == "all" { print $1, "[" $2 "]" }'
}

# "host port address" for each remembered address that the answers $2 are without and that takes no connection, of the
# names in file $1 whose answers have been changing.
silent_addresses() {
    [ -s "$memory" ] || return 0
    # The variables in the words for bash are that bash's own.
    # shellcheck disable=SC2016
    awk -v since=$(($(date +%s) - rotation)) '
        kind == "memory" && $1 == "name" { changes[$2] = $4 >= since }
        kind == "memory" && $1 == "address" && changes[$2] { known[$2] = known[$2] " " $3 }
        kind == "answer" { given[$1, $2] }
        kind == "name" {
            count = split(known[$1], address, " ")
            for (number = 1; number <= count; number++)
                if (!(($1, address[number]) in given)) print $1, $2, address[number]
        }' kind=memory "$memory" kind=answer <(echo "$2") kind=name "$1" \
        | xargs -r -P 32 -n 3 bash -c 'address=${3#[}
            timeout 2 bash -c ": <>/dev/tcp/${address%]}/$2" 2>/dev/null || echo "$1 $2 $3"' name
}

# Weighs the answers $2, as resolve_names prints them, for the names in file $1. Prints what is to be remembered, and "WHEN
# HOST PORT LINES" for each file of addresses that should be another, its lines divided by "|". WHEN is "now" where none of
# the addresses that nginx asks first at present is good any more, else "later".
#
# What does not resolve keeps the addresses it had; what never resolved gets one that is marked down, so that nginx
# starts and answers 502 for that upstream alone.
weigh_addresses() {
    awk -v now="$(date +%s)" -v kept=$kept -v rotation=$rotation -v folder="$home/upstreams" '
        kind == "memory" && $1 == "name" { looked[$2] = $3; changed[$2] = $4; before[$2] = $5 }
        kind == "memory" && $1 == "address" { add($2, $3, $4) }
        kind == "answer" && NF == 2 { answer[$1] = answer[$1] " " $2; fresh[$1, $2] }
        kind == "silent" && NF == 3 { silent[$1, $2, $3] }
        kind == "name" { order[++names] = $0 }
        END {
            # A name may have several ports, and it is looked up once.
            for (number = 1; number <= names; number++) {
                split(order[number], part, " ")
                read_file(part[1], part[2])
            }
            for (number = 1; number <= names; number++) {
                split(order[number], part, " ")
                if (!(part[1] in settled)) settle(part[1])
                weigh(part[1], part[2])
            }
        }
        function add(host, address, time) {
            if (!((host, address) in seen)) addresses[host] = addresses[host] " " address
            seen[host, address] = time
        }
        # What nginx has: where there is no memory of the name, all of it was seen just now.
        function read_file(host, port,    path, line, address) {
            path = folder "/" host "_" port ".conf"
            while ((getline line <path) > 0) {
                text[host, port] = text[host, port] (text[host, port] == "" ? "" : "|") line
                if (line ~ /down;/) continue
                address = line
                sub(/^server /, "", address)
                sub(/:[0-9]+[ ;].*$/, "", address)
                used[host, address]
                if (line !~ /backup;/) first[host, port, address]
                if (!looked[host]) {
                    if (line !~ /backup;/) last[host, address]
                    add(host, address, now)
                }
            }
            close(path)
        }
        function settle(host,    list, count, number, address, differs, any) {
            settled[host]
            if (!(host in answer)) {
                remember(host)
                return
            }
            count = split(addresses[host], list, " ")
            for (number = 1; number <= count; number++) {
                address = list[number]
                if (looked[host] ? seen[host, address] != looked[host] : !((host, address) in last)) continue
                any = 1
                if (!((host, address) in fresh)) differs = 1
                else still[host, address]
            }
            count = split(answer[host], list, " ")
            for (number = 1; number <= count; number++) {
                if (!((host, list[number]) in still)) differs = 1
                add(host, list[number], now)
            }
            if (any && differs) {
                before[host] = changed[host]
                changed[host] = now
            }
            looked[host] = now
            remember(host)
        }
        function remember(host,    list, count, number) {
            if (!looked[host]) return
            print "name", host, looked[host], changed[host] + 0, before[host] + 0
            count = split(addresses[host], list, " ")
            for (number = 1; number <= count; number++)
                if (looked[host] - seen[host, list[number]] <= kept || (host, list[number]) in used)
                    print "address", host, list[number], seen[host, list[number]]
        }
        function weigh(host, port,    list, count, number, address, good, rotates, plain, spare, plains, spares, wanted, urgent) {
            if (!(host in answer)) {
                if (text[host, port] == "") print "now", host, port, "server 127.0.0.1:9 down;"
                return
            }
            rotates = before[host] && now - before[host] <= rotation
            urgent = 1
            count = in_order(addresses[host], list)
            for (number = 1; number <= count; number++) {
                address = list[number]
                good = (host, address) in fresh || rotates && !((host, port, address) in silent)
                # However old: what nginx asks serves until the next reload.
                if (good && (host, port, address) in first) urgent = 0
                if (now - seen[host, address] > kept) continue
                if (good) plain[++plains] = address
                else spare[++spares] = address
            }
            for (number = 1; number <= plains; number++)
                # Alone it must not be left out for ten seconds because of one request: the others are old.
                wanted = wanted "|server " plain[number] ":" port (plains == 1 && spares ? " max_fails=0;" : ";")
            for (number = 1; number <= spares; number++) wanted = wanted "|server " spare[number] ":" port " backup;"
            wanted = substr(wanted, 2)
            if (wanted != text[host, port]) print urgent ? "now" : "later", host, port, wanted
        }
        function in_order(joined, list,    count, number, place, one) {
            count = split(joined, list, " ")
            for (number = 2; number <= count; number++) {
                one = list[number]
                for (place = number; place > 1 && list[place - 1] "" > one ""; place--) list[place] = list[place - 1]
                list[place] = one
            }
            return count
        }' kind=memory "$([ -f "$memory" ] && echo "$memory" || echo /dev/null)" kind=answer <(echo "$2") \
        kind=silent <(silent_addresses "$1" "$2") kind=name "$1"
}

# Writes the addresses $2, as resolve_names prints them, for the names in file $1 ("host port" a line); prints the names
# whose addresses changed. With $3 nothing is written unless something cannot wait, and then all of it.
write_addresses() {
    local plan when host port lines file
    plan=$(weigh_addresses "$1" "$2")
    if ! { grep -E '^(name|address) ' <<<"$plan" >"$memory.new" || [ $? = 1 ]; } 2>/dev/null \
        || ! mv "$memory.new" "$memory" 2>/dev/null; then
        echo "wecom-gateway: $memory cannot be written: is /run full?" >&2
    fi
    [ -z "${3-}" ] || [[ $'\n'$plan == *$'\n'now\ * ]] || return 0
    while read -r when host port lines; do
        [ "$when" = now ] || [ "$when" = later ] || continue
        file=$home/upstreams/${host}_$port.conf
        # Never an empty file, with which nginx would not start: a full disk or a power failure leaves the old one.
        if { echo "${lines//|/$'\n'}" >"$file.new" && sync "$file.new"; } 2>/dev/null && mv "$file.new" "$file"; then
            echo "$host"
        else
            rm -f "$file.new"
            echo "wecom-gateway: the new addresses of $host cannot be stored: is the disk full?" >&2
        fi
    done <<<"$plan"
}
