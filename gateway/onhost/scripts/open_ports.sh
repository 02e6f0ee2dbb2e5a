# Has firewalld let in the TCP ports that are given, now and after a reboot, in its default zone.
for port in "$@"; do
    firewall-cmd --quiet --permanent --add-port="$port/tcp"
    firewall-cmd --quiet --add-port="$port/tcp"
done
