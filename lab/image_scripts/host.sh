# A bare Debian server: systemd, sshd, sudo, and the lab's key and CA. No web server.
useradd --create-home --shell /bin/bash ops
printf 'ops ALL=(ALL) NOPASSWD: ALL\n' > /etc/sudoers.d/ops
chmod 0440 /etc/sudoers.d/ops

for user in root ops; do
    home=$(getent passwd "$user" | cut -d: -f6)
    install -d -m 0700 -o "$user" -g "$user" "$home/.ssh"
    printf '%s\n' "$PUBLIC_KEY" > "$home/.ssh/authorized_keys"
    chown "$user:$user" "$home/.ssh/authorized_keys"
    chmod 0600 "$home/.ssh/authorized_keys"
done

printf '%s\n' "$CA_PEM" > /usr/local/share/ca-certificates/wecom-lab.crt
update-ca-certificates

# Nothing may hold the package lock or delay the boot behind a test's back.
systemctl mask apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer \
    fstrim.timer getty.target console-getty.service systemd-networkd-wait-online.service
# A host is thrown away: what dpkg unpacks need not be on the disk before it goes on.
echo force-unsafe-io > /etc/dpkg/dpkg.cfg.d/lab
# Every host gets an id of its own at its first start.
: > /etc/machine-id
