# What a release that comes into force changes of certificates from ACME servers.

# Whether nginx reads the certificate in folder $1 where certbot writes it, as releases of earlier versions have it.
is_shared() {
    [[ $(readlink "$1/live") == ../../accounts/* ]]
}

# Domains whose certificate somebody took away are without one again: nginx would refuse the whole configuration.
# $1 is "no" where somebody else has the ACME lock: certbot may be about to replace one that is shared.
drop_lost_certificates() {
    local path
    for path in "$acme"/issued/*/; do
        path=${path%/}
        { [ -d "$path" ] && ! is_pair "$path/live"; } || continue
        if [ "$1" = no ] && is_shared "$path"; then continue; fi
        rm -rf -- "$path"
    done
}

# What is to be done for release folder $1, which is in force. Needs both locks.
keep_house() {
    local path domain order live renewal in_place=no
    local -A wanted=() kept=() shared=()
    # The renewal of an earlier version takes nothing into use but what nginx reads in place.
    grep -qs put_in_use "$1/renew.sh" || in_place=yes
    while read -r domain order; do wanted[$domain]=yes; done < <(cat "$1/orders" 2>/dev/null)
    while read -r domain order; do kept[$domain]=yes; done < <(cd "$home/releases" && cat -- */orders 2>/dev/null)
    while read -r path; do shared[${path##*/}]=yes; done \
        < <(find "$acme/issued" -mindepth 2 -maxdepth 2 -name live -lname '../../accounts/*' -printf '%h\n' 2>/dev/null)
    for path in "$acme"/issued/*/; do
        path=${path%/}
        domain=${path##*/}
        [ -d "$path" ] || continue
        # Certificates that none of the releases kept here has.
        if [ -z "${kept[$domain]-}" ]; then
            rm -rf -- "$path"
            continue
        fi
        { [ -f "$path/order" ] && read -r order <"$path/order"; } || continue
        live=$acme/accounts/${order%% *}/live/$domain
        settle_place
        # Those that the release does not have are not renewed; those that are back are.
        renewal=$acme/accounts/${order%% *}/renewal/$domain.conf
        if [ -n "${wanted[$domain]-}" ]; then
            if [ -f "$path/renewal.conf" ]; then
                # Without the certificate certbot would only stumble over it.
                if is_pair "$live"; then mv "$path/renewal.conf" "$renewal"; else rm -f -- "$path/renewal.conf"; fi
            fi
            { [ -s "$renewal" ] && is_pair "$live"; } || [ -e "$acme/failed/$domain" ] \
                || mark_failed "$domain" "certbot has nothing left to renew it with"
        else
            [ ! -f "$renewal" ] || mv "$renewal" "$path/renewal.conf"
        fi
    done
    drop_unneeded
    for path in "$acme"/failed/*; do
        [ ! -f "$path" ] || [ -n "${wanted[${path##*/}]-}" ] || rm -f -- "$path"
    done
}

# Has nginx read the certificate from where the release's renewal expects it.
settle_place() {
    is_pair "$live" || return 0
    if [ $in_place = yes ]; then
        put_link "$path/live" "../../${live#"$acme/"}"
    elif [ -n "${shared[$domain]-}" ]; then
        put_in_use "$domain" "$order" || echo "wecom-gateway: no copy of the certificate of $domain could be made, nginx goes on reading certbot's: is the disk full?" >&2
    fi
}

# What certbot holds for domains that no release has, and by accounts that a domain had before.
drop_unneeded() {
    local path domain folder account order
    for path in "$acme"/accounts/*/live/*/; do
        path=${path%/}
        domain=${path##*/}
        folder=${path%/live/*}
        [ -d "$path" ] || continue
        account=
        ! is_pair "$acme/issued/$domain/live" || read -r account order <"$acme/issued/$domain/order" || true
        if [ -z "${kept[$domain]-}" ] || [ "${account:-${folder##*/}}" != "${folder##*/}" ]; then
            remove_certificate "$domain" "$folder"
        fi
    done
}
