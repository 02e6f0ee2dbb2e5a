# Has the certificates issued that the release in force has orders for and that are not there, or whose last request or
# renewal failed, and has nginx serve them. On standard input, a line each, are accounts and the secrets of their
# external account bindings. Fails where a certificate could not be had; the others are in use by then.
shopt -s nullglob
# A cut connection must not stop this halfway.
trap '' HUP PIPE
declare -A secrets=() unreachable=()
while read -r account secret; do secrets[$account]=$secret; done
take_acme_lock
take_lock
keep_house "$home/current"
exec 9>&-

is_due() {
    local order=
    [ ! -f "$acme/issued/$1/order" ] || read -r order <"$acme/issued/$1/order" || true
    ! { [ -e "$acme/issued/$1/live/fullchain.pem" ] && [ ! -e "$acme/failed/$1" ] && [ "$order" = "$2" ]; }
}

# Has certbot get one certificate. `why` says what went wrong, `away` is set too where it will go the same way for every
# domain of the account.
ask() {
    local domain=$1 account=$2 directory=$3 email=$4 kid=$5 said='' live=$acme/accounts/$2/live/$1
    local identity=("$account" "$directory" "$email" "$kid" "${secrets[$account]-}")
    away=
    ! request || return 0
    if is_worth_another_try "${identity[@]}"; then
        ! request || return 0
    elif [ -z "$away" ] && [ -n "$(account_id "$account")" ] && ! is_pair "$live"; then
        # What certbot has of it may be what keeps it from asking again.
        remove_certificate "$domain" "$acme/accounts/$account"
        ! request || return 0
    fi
    why=${away:-$(reason_in "$said")}
    return 1
}

request() {
    drop_remains "$domain" "$account"
    [ -n "$(account_id "$account")" ] || said=$(register "${identity[@]}") || return 1
    adopt_certificates "$account"
    said=$(run_certbot "$account" certonly --webroot -w "$webroot" --server "$directory" --cert-name "$domain" \
        -d "$domain" --keep-until-expiring) || return 1
    is_usable "$live" || { said+=$'\n'"certbot reports success, but $live holds no valid certificate with its key"; return 1; }
}

# Has nginx serve what was issued. Where it does not, certificates that it never served are removed: they must not keep
# it from starting.
serve() {
    local domain fresh=() said
    take_lock
    for domain in "${!asked[@]}"; do
        [ -d "$acme/issued/$domain" ] || fresh+=("$domain")
        put_in_use "$domain" "${asked[$domain]}" || fail "the certificate of $domain cannot be stored: is the disk full?"
    done
    if said=$(load_certificates "${!asked[@]}"); then
        for domain in "${!asked[@]}"; do rm -f -- "$acme/failed/$domain"; done
    else
        for domain in ${fresh[@]+"${fresh[@]}"}; do rm -rf -- "$acme/issued/$domain"; done
        for domain in "${!asked[@]}"; do mark_failed "$domain" "$(tr '\n' ' ' <<<"$said")"; done
        wrong+=("$said")
    fi
    asked=()
    exec 9>&-
}

tell() {
    local failed=$((done_with - issued))
    echo "wecom-gateway: $issued of ${#due[@]} certificates issued$([ $failed -eq 0 ] || echo ", $failed could not be had")"
    told=$SECONDS
}

due=() wrong=() done_with=0 issued=0 told=$SECONDS
declare -A asked=()
while read -r domain order; do
    ! is_due "$domain" "$order" || due+=("$domain $order")
done <"$home/current/orders"

for line in ${due[@]+"${due[@]}"}; do
    read -r domain order <<<"$line"
    read -r account directory email kid <<<"$order"
    why=${unreachable[$account]-} away=
    if [ -z "$why" ] && ask "$domain" "$account" "$directory" "$email" "$kid"; then
        asked[$domain]=$order
        issued=$((issued + 1))
        # So that nobody waits for hundreds of others.
        [ ${#asked[@]} -lt 25 ] || serve
    else
        [ -z "$away" ] || unreachable[$account]=$away
        mark_failed "$domain" "$why"
        if [ -e "$acme/issued/$domain/live/fullchain.pem" ]; then
            wrong+=("$domain keeps the certificate that it has, because no new one was issued: $why")
        else
            wrong+=("$domain has no certificate yet and answers on port 80 alone: $why")
        fi
    fi
    done_with=$((done_with + 1))
    [ $((SECONDS - told)) -lt 5 ] || [ $done_with -eq ${#due[@]} ] || tell
done
[ ${#due[@]} -eq 0 ] || tell

[ ${#asked[@]} -eq 0 ] || serve
{ systemctl is-active --quiet certbot.timer && systemctl is-enabled --quiet certbot.timer; } \
    || { systemctl enable --quiet certbot.timer && systemctl start certbot.timer; }
take_lock
keep_house "$home/current"
release_locks
[ ${#wrong[@]} -eq 0 ] || fail "$(printf '%s\n' "${wrong[@]}" | awk '!said[$0]++')"
