# Run by logrotate after it has moved logs of the release away, on hosts where nothing else has nginx open new ones.
master=$(master_pid)
[ -z "$master" ] || kill -USR1 "$master"
