# Prints the newest lines of the access log that are asked for, those of rotated files too. Changes nothing.
#   $1  a request id, $2 a site's domain, $3 a status like 502 or 5xx: each "-" where any will do
#   $4  what is older is not looked at, in seconds since 1970; $5 how many lines at most
# What is printed is gzip in base64, since a line may hold bytes that are no characters. Unpacked:
#   line ...      a line of the log, the newest last
#   count A B C   how many lines were found, how many are no JSON, as earlier releases wrote them, and how many files
#                 could not be read to their end
#   said ...      for a request id: what the error log has of the client that sent the request
id=$1 site=$2 status=$3 since=$4 most=$5

# Of an answer, whatever is asked for.
most_bytes=4000000

# Prints the files of log $1 that were written to since $2, the newest last.
files_of_log() {
    local when path
    find -H "$log_folder" -maxdepth 1 -type f -name "${1##*/}*" -printf '%T@ %p\n' | sort -n \
        | while read -r when path; do [ "${when%.*}" -lt "$2" ] || echo "$path"; done
}

# Prints the text of every file named on standard input, and after one that cannot be read to its end a line that nginx
# never writes. A power failure may leave null bytes.
texts_of_files() {
    local path
    while IFS= read -r path; do
        case $path in
            *.gz) gzip -dc -- "$path" ;;
            *.xz) xz -dc -- "$path" ;;
            *.bz2) bzip2 -dc -- "$path" ;;
            *) cat -- "$path" ;;
        esac 2>/dev/null || printf '\n\001\n'
    done | tr -d '\000'
}

# Prints what of standard input is asked for. Within a value nginx writes \" for a quote, so that no visitor can send
# what looks like a field.
wanted() {
    awk -v id="$id" -v site="$site" -v status="${status//x/[0-9]}" -v since="$since" '
        function seconds(time,    year, month, zone) {
            year = substr(time, 1, 4) + 0
            month = substr(time, 6, 2) + 0
            # from March on, so that the leap day is the last one of a year
            if (month < 3) { year--; month += 12 }
            zone = (substr(time, length(time) - 4, 2) * 60 + substr(time, length(time) - 1, 2)) * 60
            # days since 1970, then the rest of the time
            return (365 * year + int(year / 4) - int(year / 100) + int(year / 400) + int((153 * month - 457) / 5) \
                + substr(time, 9, 2) - 719469) * 86400 + substr(time, 12, 2) * 3600 + substr(time, 15, 2) * 60 \
                + substr(time, 18, 2) - (substr(time, 20, 1) == "-" ? -zone : zone)
        }
        $0 == "\001" { unread++; next }
        $0 == "" { next }
        substr($0, 1, 9) != "{\"time\":\"" { older++; next }
        id != "-" && !index($0, "\"request_id\":\"" id "\",") { next }
        site != "-" && !index($0, ",\"site\":\"" site "\",") { next }
        status != "-" && $0 !~ ",\"status\":" status "," { next }
        since > 0 && seconds(substr($0, 10, 25)) < since { next }
        { found++; print "line " $0 }
        END { print "count", found + 0, older + 0, unread + 0 }'
}

# Prints the last bytes of standard input, from the beginning of a line on: the rest of a line that was cut could be
# anything that a visitor has sent. The last line alone is the count.
bounded() {
    tail -c "$most_bytes" | sed '1{$!{/^line {"time":"/!d;};}'
}

# Prints the text of field $1 of a line on standard input.
field() {
    sed -n "s/.*\"$1\":\"\([^\"]*\)\".*/\1/p"
}

# Prints what on standard input was said of the client at address $1 until time $2, a log line's.
said_of() {
    local last=${2:0:19}
    last=${last//-//}
    awk -v client=", client: $1" -v last="${last/T/ }" '
        index($0, client) && substr($0, 1, 19) <= last { print "said " $0 }'
}

[ -r "$log_folder" ] || fail "$log_folder cannot be read; set _sudo, or deploy this host where nothing is there"
# Visitors come first.
renice -n 10 $$ >/dev/null 2>&1 || true
every=$(files_of_log "$access_log" 0)
[ -n "$every" ] || fail "there is no $access_log; deploy this host first"
while IFS= read -r path; do
    [ -r "$path" ] || fail "$path cannot be read; set _sudo"
done <<<"$every"

{
    found=$(files_of_log "$access_log" "$since" | texts_of_files | wanted | tail -n "$((most + 1))" | bounded)
    echo "$found"
    client=$([ "$id" = - ] || field client <<<"$found" | tail -n 1)
    if [ -n "$client" ]; then
        files_of_log "$requests_error_log" 0 | texts_of_files | said_of "$client" "$(field time <<<"$found" | tail -n 1)" \
            | tail -n 200
    fi
} | gzip -c | base64
