# What has to be done with certificates from ACME servers when a release comes into force.

# Whether nginx reads the certificate of folder $1 where certbot writes it, as releases of earlier versions do.
is_shared() {
    [[ $(readlink "$1/live") == ../../accounts/* ]]
}

# Removes the folders of domains whose certificate is gone: nginx would refuse the whole configuration. $1 is "no" where
# another script has the ACME lock: certbot may be about to replace a certificate that nginx reads from it.
drop_lost_certificates() {
    local path
    for path in "$acme"/issued/*/; do
        path=${path%/}
        { [ -d "$path" ] && ! is_pair "$path/live"; } || continue
        if [ "$1" = no ] && is_shared "$path"; then continue; fi
        rm -rf -- "$path"
    done
}

# Brings certificates in line with the release in folder $1, which is in force. To be called with both locks.
keep_house() {
    local path domain order live renewal in_place=no
    local -A wanted=() kept=() shared=()
    # The renewal of an earlier version makes no copies: nginx has to read the certificates where certbot writes them.
    grep -qs put_in_use "$1/renew.sh" || in_place=yes
    while read -r domain order; do wanted[$domain]=yes; done < <(cat "$1/orders" 2>/dev/null)
    while read -r domain order; do kept[$domain]=yes; done < <(cd "$home/releases" && cat -- */orders 2>/dev/null)
    while read -r path; do shared[${path##*/}]=yes; done \
        < <(find "$acme/issued" -mindepth 2 -maxdepth 2 -name live -lname '../../accounts/*' -printf '%h\n' 2>/dev/null)
    for path in "$acme"/issued/*/; do
        path=${path%/}
        domain=${path##*/}
        [ -d "$path" ] || continue
        # No release on this host has it.
        if [ -z "${kept[$domain]-}" ]; then
            rm -rf -- "$path"
            continue
        fi
        { [ -f "$path/order" ] && read -r order <"$path/order"; } || continue
        live=$acme/accounts/${order%% *}/live/$domain
        settle_place
        # A certificate that the release does not have is not renewed until a release has it again.
        renewal=$acme/accounts/${order%% *}/renewal/$domain.conf
        if [ -n "${wanted[$domain]-}" ]; then
            if [ -f "$path/renewal.conf" ]; then
                # certbot fails on a renewal without a certificate.
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

# Has nginx read the certificate from where the renewal of the release puts it.
settle_place() {
    is_pair "$live" || return 0
    if [ $in_place = yes ]; then
        put_link "$path/live" "../../${live#"$acme/"}"
    elif [ -n "${shared[$domain]-}" ]; then
        put_in_use "$domain" "$order" || echo "wecom-gateway: no copy of the certificate of $domain could be made, nginx goes on reading certbot's: is the disk full?" >&2
    fi
}

# Removes what certbot holds for domains that no release has, and in accounts that a domain had before.
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
