# Run by wecom-gateway-renew.service whenever certbot.timer fires: renews what is due, account by account, and has
# nginx serve it. What cannot be renewed stays as it is.
shopt -s nullglob
[ -s "$home/current/orders" ] || exit 0
take_acme_lock
settle_renewals "$home/current"

wrong=no
while read -r account directory email kid; do
    [ -d "$acme/accounts/$account/renewal" ] || continue
    told=no renew=(renew --no-random-sleep-on-renew)
    said=$(run_certbot "$account" "${renew[@]}") && failed=no || failed=yes
    # The secret of a binding is not kept on the host: there a deploy has to help.
    if [ $failed = yes ] && [ "$kid" = - ] && is_lost_account "$said"; then
        if again=$(register_again "$account" "$directory" "$email" - ""); then
            said=$(run_certbot "$account" "${renew[@]}") && failed=no || failed=yes
        else
            said+=$'\n'$again
        fi
    fi
    while read -r domain order; do
        [ "${order%% *}" = "$account" ] && [ -e "$acme/issued/$domain" ] || continue
        if [ $failed = no ]; then
            rm -f "$acme/failed/$domain"
        elif mine=$(grep -F "Failed to renew certificate $domain with error: " <<<"$said"); then
            told=yes wrong=yes
            # What the server said of its visit, else certbot's own word.
            why=$(reason_in "$(sed -n "/^ *Domain: ${domain//./\\.}\$/,/^ *\$/p" <<<"$said")"$'\n'"$mine")
            mark_failed "$domain" "$why"
            log_line 3 "$domain: the certificate was not renewed, the one in use stays: $why"
        elif grep -q "^Failed to renew certificate " <<<"$said"; then
            # Others were named, this one was not.
            rm -f "$acme/failed/$domain"
        fi
    done <"$home/current/orders"
    if [ $failed = yes ] && [ $told = no ]; then
        wrong=yes
        log_line 3 "certbot failed for $email at $directory: $(reason_in "$said")"
    fi
done < <(cut -d ' ' -f 2- "$home/current/orders" | sort -u)

# By what nginx shows, not by what was renewed just now: a reload that once failed is made up for.
stale=$(while read -r domain order; do
    [ ! -e "$acme/issued/$domain/live/fullchain.pem" ] || echo "$domain"
done <"$home/current/orders" | not_yet_served)
if [ -n "$stale" ]; then
    take_lock
    if said=$(load_certificates $stale); then
        echo "renewed and served:" $stale
    else
        wrong=yes
        log_line 3 "$(tr '\n' ' ' <<<"$said")"
    fi
fi
[ $wrong = no ]
