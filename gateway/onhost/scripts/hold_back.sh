# Before nginx is installed: it is not to serve its welcome page, not for a second.
(umask 022 && mkdir -p "${held_back%/*}")
cat >"$held_back.new" <<UNIT
# wecom-gateway: while nginx is being installed. Removed as soon as it is.
[Unit]
ConditionPathExists=$home/current
UNIT
chmod 644 "$held_back.new"
mv "$held_back.new" "$held_back"
systemctl daemon-reload
