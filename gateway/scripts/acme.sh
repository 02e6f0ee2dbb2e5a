# Certificates from ACME servers. What belongs to them lies outside of the releases:
#   accounts/<account>/   a configuration of certbot's for each account: its key, its certificates, its log
#   issued/<domain>/      there as soon as the domain has a certificate: `live` leads to it, `order` says what it was
#                         asked for with, and only through `releases` a release includes the domain's TLS servers
#   failed/<domain>       when and why the last attempt came to nothing
acme=$home/acme
webroot=/var/lib/wecom-gateway/acme

# One line for journald, which takes the number for the level.
log_line() {
    echo "<$1>${*:2}"
}

# certbot at a time, for deploy or renewal; not the deploy's own lock, because an ACME server may let it wait.
take_acme_lock() {
    install -d -m 700 "$acme" "$acme/accounts" "$acme/issued" "$acme/failed"
    install -d -m 755 "${webroot%/*}" "$webroot"
    # certbot of Debian 11 takes no other file than a plain one for its settings.
    [ -f "$acme/certbot.ini" ] || echo "# Nothing: all settings are arguments." >"$acme/certbot.ini"
    exec 8>>"$acme/.lock"
    flock -w 300 8 || fail "certificates of this host have been asked for elsewhere for five minutes; try again later"
    # The secret of a registration that was cut off.
    rm -f /run/wecom-gateway-eab.*
}

# certbot for account $1, with neither its questions nor what somebody configured for their own certificates;
# $settings is a file of settings that must not stand on a command line.
run_certbot() {
    local folder=$acme/accounts/$1 ca=$home/current/acme-ca/$1.pem verb=$2
    shift 2
    if [ -f "$ca" ]; then local -x REQUESTS_CA_BUNDLE=$ca; fi
    local said real done=0
    said=$(timeout -k 10 600 certbot "$verb" -c "${settings:-$acme/certbot.ini}" "$@" --non-interactive \
        --max-log-backups 20 --config-dir "$folder" --work-dir "$folder/work" --logs-dir "$folder/log" \
        </dev/null 2>&1) || done=$?
    # certbot of Debian 12 stumbles over some answers of a server; what the answer was is in its log alone.
    real=$(sed -n 's/^acme\.messages\.Error: //p' "$folder/log/letsencrypt.log" 2>/dev/null | tail -n 1 || true)
    [ $done -eq 0 ] || [ -z "$real" ] || said=${said//"can't set attribute"/"$real"}
    # certbot leaves that to chance: with an empty certificate after a power failure nginx would not start.
    sync -f "$folder" || true
    echo "$said"
    return $done
}

# Out of what certbot said ($1), the ACME server's reason or certbot's own, as one line.
reason_in() {
    awk '
        /^ *Type: /   { sub(/^ *Type: */, ""); type = $0 }
        /^ *Detail: / { sub(/^ *Detail: */, ""); detail = type ": " $0; ends = 0; next }
        detail != "" && !ends { if (/^[[:space:]]*$/ || /^Hint:/) ends = 1; else detail = detail " " $0 }
        /^Failed to renew certificate .* with error: / && failed == "" { sub(/.* with error: /, ""); failed = $0 }
        /^(An unexpected error occurred|The following error was encountered):/ { next_is = 1; next }
        next_is && NF { failed = $0; next_is = 0 }
        NF && !/^(Saving debug log|Ask for help|See the logfile|- - -)/ { last = $0 }
        END { print detail != "" ? detail : failed != "" ? failed : last }' <<<"$1" \
        | sed -E "s/.*HTTPSConnectionPool\(host='([^']*)', port=([0-9]+)\)/\1:\2 cannot be reached/
            s/ cannot be reached.*certificate verify failed:? ?(.*) \(_ssl.*/ is not trusted, its certificate: \1/
            s/( cannot be reached:).*\[Errno [^]]*\] /\1 /; / cannot be reached:/ s/['\")]+\$//" \
        | tr -cd '[:print:]' | tr -s ' ' | cut -c 1-500
}

# Whether that is an answer about the account itself, which another one would not get.
is_lost_account() {
    grep -qE 'accountDoesNotExist|Account (has been )?deactivated|[Aa]ccount is not valid|Account at .* does not exist|[Aa]ccount [^ ]+ not found|account .*(deactivated|revoked)' <<<"$1"
}

# Whether the server was not there at all: then asking it for the next domain takes as long and gains nothing. What it
# says of its visit to a domain speaks of timeouts too, and is about that domain alone.
is_unreachable() {
    ! grep -qE '^ *Detail: |urn:ietf:' <<<"$1" \
        && grep -qE 'ConnectionError|Timeout|SSLError|Max retries exceeded|timed out|5[0-9][0-9] Server Error' <<<"$1"
}

has_account() {
    [ -n "$(find "$acme/accounts/$1/accounts" -name regr.json -print -quit 2>/dev/null)" ]
}

# A new account $1 at directory $2 for the address $3, bound by key identifier $4 ("-": none) with the secret $5.
# Prints what certbot says.
register() {
    local options=(--agree-tos --no-eff-email -m "$3" --server "$2")
    install -d -m 700 "$acme/accounts/$1"
    if [ "$4" != - ]; then
        if [ -z "$5" ]; then
            echo "an account has to be registered, and the secret of key identifier $4 is not at hand: set the environment variable that \"hmac_key_env\" names, and deploy"
            return 1
        fi
        # Not on a command line, which everybody on the host can read; the file is root's alone and in memory.
        local settings done=0
        settings=$(mktemp /run/wecom-gateway-eab.XXXXXX)
        printf 'eab-kid = %s\neab-hmac-key = %s\n' "$4" "$5" >"$settings"
        run_certbot "$1" register "${options[@]}" || done=$?
        rm -f -- "$settings"
        return $done
    fi
    run_certbot "$1" register "${options[@]}"
}

# Account $1 is not known to its server any more: another one takes its place, for its certificates too.
register_again() {
    local folder=$acme/accounts/$1
    rm -rf -- "$folder/accounts"
    register "$@" || return 1
    local new
    new=$(find "$folder/accounts" -name regr.json -print -quit)
    new=${new%/regr.json}
    find "$folder/renewal" -name '*.conf' -exec sed -i "s/^account = .*/account = ${new##*/}/" {} + 2>/dev/null || true
}

mark_failed() {
    echo "$(date -u +%Y-%m-%dT%H:%MZ) $2" >"$acme/failed/$1"
}

fingerprint() {
    openssl x509 -noout -fingerprint -sha256 2>/dev/null || true
}

# Domains of those on standard input for which the running nginx shows another certificate than the one stored.
not_yet_served() {
    local domain shown
    while read -r domain; do
        shown=$(timeout 5 openssl s_client -connect 127.0.0.1:443 -servername "$domain" </dev/null 2>/dev/null | fingerprint || true)
        [ "$shown" = "$(fingerprint <"$acme/issued/$domain/live/fullchain.pem")" ] || echo "$domain"
    done
}

# Has the running nginx serve the stored certificates of the domains given: nginx tests the configuration, is told to
# reload, and is asked. Prints what is wrong and fails where it does not; what it served before goes on.
load_certificates() {
    local found tries left
    if ! found=$(nginx -t -q 2>&1); then
        echo "nginx refuses the configuration, what it served before goes on: $found"
        return 1
    fi
    systemctl is-active --quiet nginx || { echo "nginx is not running"; return 1; }
    reload_nginx
    for tries in $(seq 60); do
        left=$(printf '%s\n' "$@" | not_yet_served)
        [ -n "$left" ] || return 0
        sleep 0.5
    done
    echo "the running nginx did not take the new certificate of" $left "within 30 seconds; see journalctl -u nginx"
    return 1
}

# Domains whose certificate somebody took away are without one again: nginx would refuse the whole configuration.
drop_lost_certificates() {
    local path
    for path in "$acme"/issued/*/; do
        [ ! -d "$path" ] || { [ -s "$path/live/fullchain.pem" ] && [ -s "$path/live/privkey.pem" ]; } || rm -rf -- "$path"
    done
}

# Whether domain $1 stands in one of the files of orders that follow.
has_order() {
    awk -v domain="$1" '$1 == domain { found = 1 } END { exit !found }' "${@:2}" 2>/dev/null
}

# Certificates of domains that release $1 no longer has are not renewed; those of domains that are back are.
settle_renewals() {
    local path domain live renewal
    for path in "$acme"/issued/*/; do
        live=$(readlink -e "$path/live") || continue
        domain=$(basename "$path")
        renewal=${live%/live/*}/renewal/$domain.conf
        if has_order "$domain" "$1/orders"; then
            [ ! -f "$path/renewal.conf" ] || mv "$path/renewal.conf" "$renewal"
        else
            [ ! -f "$renewal" ] || mv "$renewal" "$path/renewal.conf"
            rm -f "$acme/failed/$domain"
        fi
    done
}

# Takes domain $1 out of the accounts in the folders that follow, and out of use where nothing of it is left.
remove_certificate() {
    local domain=$1 folder
    shift
    for folder in "$@"; do
        rm -rf -- "$folder/live/$domain" "$folder/archive/$domain" "$folder/renewal/$domain.conf"
    done
    [ -e "$acme/issued/$domain/live/fullchain.pem" ] || rm -rf -- "$acme/issued/$domain"
}
