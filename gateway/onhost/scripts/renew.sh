# Run by the unit $renewal_unit whenever certbot.timer fires: renews what is due, account by account, and has
# nginx serve it. What cannot be renewed stays as it is.
shopt -s nullglob
[ -s "$home/current/orders" ] || exit 0
take_acme_lock
take_lock
keep_house "$home/current"
orders=$(<"$home/current/orders")
exec 9>&-

# Notes in `held` what certbot holds for the account at moment $1: the file of each domain's current certificate.
take_stock() {
    local path target
    while read -r path target; do held[$1 ${path##*/}]=$target; done \
        < <(find "$acme/accounts/$account/live" -name fullchain.pem -printf '%h %l\n' 2>/dev/null)
}

# Whether certbot tries to renew the certificate in file $1 by now: it does so in its last third, or half where it is
# for under ten days; before certbot 4 in its last 30 days.
is_in_window() {
    local start ends life left
    { read -r start && read -r ends; } < <(openssl x509 -noout -startdate -enddate -in "$1" 2>/dev/null) || return 0
    start=$(date -d "${start#*=}" +%s) ends=$(date -d "${ends#*=}" +%s)
    life=$((ends - start)) left=$((ends - $(date +%s)))
    if [ $before_4 = yes ]; then
        [ $left -lt $((30 * 86400)) ]
    else
        [ $left -lt $((life / (life < 10 * 86400 ? 2 : 3))) ]
    fi
}
before_4=no
! dpkg --compare-versions "$(dpkg-query -W -f '${Version}' certbot 2>/dev/null)" lt-nl 4 || before_4=yes

# Renews what is due of the account. That may be hundreds, and all has to end before the unit's own time limit.
renew_account() {
    local limit=$((3300 - SECONDS))
    [ $limit -gt 60 ] || limit=60
    adopt_certificates "$account"
    said=$(run_certbot "$account" renew --no-random-sleep-on-renew)
}

wrong=no
declare -A held=()
while read -r account directory email kid; do
    [ -d "$acme/accounts/$account/renewal" ] || continue
    for path in "$acme/accounts/$account/renewal"/*.conf; do
        path=${path##*/}
        drop_remains "${path%.conf}" "$account"
    done
    held=()
    take_stock before
    failed=no away='' told=no
    renew_account || failed=yes
    # The secret of an external account binding is not kept on the host: such an account takes a deploy.
    if [ $failed = yes ] && is_worth_another_try "$account" "$directory" "$email" "$kid" ""; then
        failed=no
        renew_account || failed=yes
    fi
    take_stock after
    while read -r domain order; do
        { [ "${order%% *}" = "$account" ] && [ -e "$acme/issued/$domain" ]; } || continue
        # Judged by the certificate: it is well where it is another one now, or was not due yet.
        if [ $failed = no ] || [ "${held[before $domain]-}" != "${held[after $domain]-}" ] \
            || ! is_in_window "$acme/issued/$domain/live/fullchain.pem"; then
            rm -f -- "$acme/failed/$domain"
            continue
        fi
        told=yes wrong=yes
        # What the server said of its check, else certbot's own words.
        mine=$(grep -F "Failed to renew certificate $domain with error: " <<<"$said" || true)
        visit=$(sed -n "/^ *Domain: ${domain//./\\.}\$/,/^ *\$/p" <<<"$said")
        why=${away:-$(reason_in "${visit:+$visit$'\n'}${mine:-$said}")}
        mark_failed "$domain" "$why"
        log_line 3 "$domain: the certificate was not renewed, the one in use stays: $why"
    done <<<"$orders"
    if [ $failed = yes ] && [ $told = no ]; then
        wrong=yes
        log_line 3 "certbot failed for $email at $directory: ${away:-$(reason_in "$said")}"
    fi
done < <(cut -d ' ' -f 2- <<<"$orders" | sort -u)

# Compares all certificates with those in use, not only those renewed just now: an earlier run may have been cut off
# between the two.
take_lock
while read -r domain order; do
    { [ -f "$acme/issued/$domain/order" ] && read -r order <"$acme/issued/$domain/order"; } || continue
    live=$acme/accounts/${order%% *}/live/$domain
    { ! cmp -s "$live/fullchain.pem" "$acme/issued/$domain/live/fullchain.pem" && is_usable "$live"; } || continue
    put_in_use "$domain" "$order" || fail "the new certificate of $domain cannot be stored: is the disk full?"
done <<<"$orders"
exec 9>&-

# Asks nginx which certificates it shows: an earlier reload may have failed.
stale=$(while read -r domain order; do
    [ ! -e "$acme/issued/$domain/live/fullchain.pem" ] || echo "$domain"
done <<<"$orders" | not_yet_served)
take_lock
if [ -n "$stale" ]; then
    mapfile -t domains <<<"$stale"
    if said=$(load_certificates "${domains[@]}"); then
        echo "renewed and served: ${domains[*]}"
    else
        wrong=yes
        log_line 3 "$(tr '\n' ' ' <<<"$said")"
    fi
fi
keep_house "$home/current"
release_locks
[ $wrong = no ]
