# Run once a day by wecom-gateway-expiry.timer: a line in the journal for each certificate, wherever it came from,
# that has under $warn_days days left, and for each that an ACME server has still to issue.
shopt -s nullglob
cd "$home/current" 2>/dev/null || exit 0

# Level and text about the certificate of domain $1 in file $2.
judge() {
    local ends left
    ends=$(openssl x509 -noout -enddate -in "$2" 2>/dev/null) || { echo "<3>$1: the certificate cannot be read"; return; }
    left=$(($(date -d "${ends#notAfter=}" +%s) - $(date +%s)))
    if [ $left -le 0 ]; then
        echo "<3>$1: the certificate expired on ${ends#notAfter=}"
    elif [ $left -lt $((warn_days * 86400)) ]; then
        echo "<4>$1: the certificate expires in $((left / 86400)) days, on ${ends#notAfter=}"
    fi
}

for path in certs/*/fullchain.pem; do
    domain=${path#certs/}
    judge "${domain%/*}" "$path"
done
while read -r domain _; do
    path=$acme/issued/$domain/live/fullchain.pem
    if [ -e "$path" ]; then judge "$domain" "$path"; else echo "<3>$domain: no certificate was issued yet; deploy"; fi
done <orders
