# Run every minute by wecom-gateway-logs.timer: a log of the release that has grown too large since logrotate last came
# goes aside, in the place of the one that did so before, and nginx begins a new one.
# In the journal stands what was done.

# Bytes: a twentieth of the disk, and no more than that.
most=4000000000
disk=$(df -Pk "$log_folder" | awk 'NR == 2 { print $2 }')
[ $((disk * 1024 / 20)) -ge $most ] || most=$((disk * 1024 / 20))

moved=
for path in "$access_log" "$egress_log"; do
    # logrotate knows nothing of it, and visitors' addresses are kept for two weeks
    find "$log_folder" -maxdepth 1 -name "${path##*/}.full" -mtime +14 -delete
    [ -f "$path" ] && [ ! -L "$path" ] && [ "$(stat -c %s "$path")" -gt "$most" ] || continue
    # nginx's workers may write to a file alone that is there with its owner; until it is told, it writes to the old one
    : >"$path.new"
    chown --reference="$path" "$path.new"
    chmod --reference="$path" "$path.new"
    mv -f "$path" "$path.full"
    mv -f "$path.new" "$path"
    echo "<4>$path was over $((most / 1000000)) MB and is now $path.full"
    moved=1
done
[ -n "$moved" ] || exit 0
master=$(master_pid)
[ -z "$master" ] || kill -USR1 "$master"
