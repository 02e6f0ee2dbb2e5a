# Run after mtail was installed: Debian's own unit, which listens on every address, does not run beside the gateway's.
systemctl disable --quiet mtail.service
systemctl stop mtail.service
