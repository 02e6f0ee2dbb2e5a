# Asks for the certificates that the release in force has orders for and that are not there, or could not be had or
# renewed last time, and has nginx serve them. Standard input: an account and its external secret on each line.
# Fails where one could not be had; the others are in use by then.
shopt -s nullglob
# A cut connection must not stop this halfway.
trap '' HUP PIPE
declare -A secrets=() unreachable=()
while read -r account secret; do secrets[$account]=$secret; done
take_acme_lock
orders=$home/current/orders

is_due() {
    [ -e "$acme/issued/$1/live/fullchain.pem" ] && [ ! -e "$acme/failed/$1" ] \
        && [ "$(cat "$acme/issued/$1/order" 2>/dev/null)" = "$2" ] && return 1
    return 0
}

# Asks for one certificate and prints what was said.
ask() {
    local domain=$1 account=$2 directory=$3 email=$4 kid=$5 said
    local request=(certonly --webroot -w "$webroot" --server "$directory" --cert-name "$domain" -d "$domain" --keep-until-expiring)
    local identity=("$account" "$directory" "$email" "$kid" "${secrets[$account]-}")
    # What is left of a request that broke off would get the new certificate another name.
    [ -f "$acme/accounts/$account/renewal/$domain.conf" ] || remove_certificate "$domain" "$acme/accounts/$account"
    has_account "$account" || register "${identity[@]}" || return 1
    if said=$(run_certbot "$account" "${request[@]}"); then return 0; fi
    echo "$said"
    is_lost_account "$said" || return 1
    register_again "${identity[@]}" || return 1
    run_certbot "$account" "${request[@]}"
}

# The certificate that was just issued is the one in use: a folder of its own at first, afterwards one link.
put_in_use() {
    local domain=$1 order=$2 folder=$acme/issued/$1
    local live=../../accounts/${order%% *}/live/$domain
    if [ ! -d "$folder" ]; then
        rm -rf -- "$acme/new"
        mkdir -m 700 "$acme/new"
        ln -s ../../../releases "$acme/new/releases"
        ln -s "$live" "$acme/new/live"
        echo "$order" >"$acme/new/order"
        mv -T "$acme/new" "$folder"
        fresh+=("$domain")
    else
        put_link "$folder/live" "$live"
        echo "$order" >"$folder/order"
    fi
}

fresh=() asked=() wrong=()
while read -r domain order; do
    is_due "$domain" "$order" || continue
    read -r account directory email kid <<<"$order"
    if [ -n "${unreachable[$account]-}" ]; then
        why=${unreachable[$account]}
    elif said=$(ask "$domain" "$account" "$directory" "$email" "$kid"); then
        put_in_use "$domain" "$order"
        asked+=("$domain")
        continue
    else
        why=$(reason_in "$said")
        ! is_unreachable "$said" || unreachable[$account]=$why
    fi
    mark_failed "$domain" "$why"
    if [ -e "$acme/issued/$domain/live/fullchain.pem" ]; then
        wrong+=("$domain keeps the certificate that it has, because no new one was issued: $why")
    else
        wrong+=("$domain has no certificate yet and answers on port 80 alone: $why")
    fi
done <"$orders"

take_lock
if [ ${#asked[@]} -gt 0 ]; then
    if said=$(load_certificates "${asked[@]}"); then
        for domain in "${asked[@]}"; do
            rm -f "$acme/failed/$domain"
            read -r account _ <"$acme/issued/$domain/order"
            for folder in "$acme"/accounts/*/; do
                [ "$(basename "$folder")" = "$account" ] || remove_certificate "$domain" "$folder"
            done
        done
    else
        # What nginx never served must not keep it from starting.
        for domain in ${fresh[@]+"${fresh[@]}"}; do rm -rf -- "$acme/issued/$domain"; done
        for domain in "${asked[@]}"; do mark_failed "$domain" "$(tr '\n' ' ' <<<"$said")"; done
        wrong+=("$said")
    fi
fi
systemctl is-active --quiet certbot.timer && systemctl is-enabled --quiet certbot.timer \
    || systemctl enable --quiet --now certbot.timer
[ ${#wrong[@]} -eq 0 ] || fail "$(printf '%s\n' "${wrong[@]}")"
