# Each reload leaves a generation of workers behind that live until the last connection on them ends, a WebSocket's
# after hours. nginx has no way to end only some of them: worker_shutdown_timeout and signals cut every connection of a
# worker, other people's sites' too. So none is cut, and reloads that can wait are spaced out instead, each generation
# doubling the pause: 7 reloads in the first hour, 4 more until the end of the day.

# Seconds between two reloads while no old worker lives.
pause=30
reloaded=/run/wecom-gateway-reloaded

# Prints "NEW OLD": how many workers of nginx take connections, and how many only finish what they have begun.
count_workers() {
    local master path title new=0 old=0
    master=$(master_pid)
    while read -r path; do
        IFS= read -r -d '' title <"${path%/*}/cmdline" || true
        case $title in
            "nginx: worker process is shutting down"*) old=$((old + 1)) ;;
            "nginx: worker process"*) new=$((new + 1)) ;;
        esac
    done < <(grep -ls "^PPid:[[:space:]]*$master\$" /proc/[0-9]*/status || true)
    echo "$new $old"
}

# Prints the pause in seconds with $1 new workers and $2 old ones.
pause_with() {
    local generations=0
    [ "$1" = 0 ] || generations=$((($2 + $1 - 1) / $1))
    # The longest pause is 23 days.
    [ $generations -le 16 ] || generations=16
    echo $((pause << generations))
}

# Whether a reload that can wait has to wait.
must_wait() {
    local last new old
    last=$(cat "$reloaded" 2>/dev/null || true)
    [ -n "$last" ] || return 1
    read -r new old <<<"$(count_workers)"
    [ $(($(date +%s) - last)) -lt "$(pause_with "$new" "$old")" ]
}
