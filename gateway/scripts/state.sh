# Prints what a deploy has to know of the host, one "key value" a line. Changes nothing.
if command -v nginx >/dev/null; then
    echo "version $(nginx -v 2>&1)"
else
    echo "candidate $(apt-cache policy nginx 2>/dev/null | awk '$1 == "Candidate:" { print $2 }')"
fi
echo "ipv6 $([ -e /proc/net/if_inet6 ] && echo yes || echo no)"
echo "current $(readlink "$home/current" 2>/dev/null || true)"
echo "activated $(cat "$home/activated" 2>/dev/null || true)"
echo "entry $(readlink "$entry" 2>/dev/null || true)"
echo "running $(running_release)"
