# Certificates from ACME servers. What belongs to them lies outside of the releases, in $acme:
#   accounts/<account>/     a configuration of certbot's for each account: its key, its certificates, its log
#   issued/<domain>/        there as soon as the domain has a certificate: `live` leads to the copy of it that nginx
#                           reads, `order` says what it was asked for with, and only through `releases` a release
#                           includes the domain's TLS servers
#   failed/<domain>         when and why the last attempt came to nothing
#   aside/<time>-<account>/ the key of an account that another one took the place of
#
# Whoever changes accounts/ or failed/ holds the ACME lock, for as long as a server lets certbot wait. Whoever changes
# issued/, or anything else that nginx reads, holds the deploy's lock, for a moment. Of both the ACME lock comes first:
# who has the deploy's lock never waits for it, and leaves what needs both to whoever holds it.

# One line for journald, which takes the number for the level.
log_line() {
    echo "<$1>${*:2}"
}

take_acme_lock() {
    install -d -m 700 "$acme" "$acme/accounts" "$acme/issued" "$acme/failed" "$acme/aside"
    install -d -m 755 "${webroot%/*}" "$webroot"
    # certbot of Debian 11 takes no other file than a plain one for its settings.
    [ -f "$acme/certbot.ini" ] || echo "# Nothing: all settings are arguments." >"$acme/certbot.ini"
    exec 8>>"$acme/.lock"
    flock -w 300 8 || fail "certificates of this host have been asked for elsewhere for five minutes; try again later"
    # The secret of a registration that was cut off.
    rm -f /run/wecom-gateway-eab.*
}

# The same for who has the deploy's lock already. Fails where somebody else is at work, or there is nothing at all.
try_acme_lock() {
    [ -d "$acme" ] && exec 8>>"$acme/.lock" && flock -n 8
}

# In this order: whoever then has the deploy's lock gets the other one too.
release_locks() {
    exec 8>&-
    exec 9>&-
}

# certbot for account $1, for $limit seconds at most, with neither its questions nor what somebody configured for their
# own certificates; $settings is a file of settings that must not stand on a command line.
run_certbot() {
    local folder=$acme/accounts/$1 ca=$home/current/acme-ca/$1.pem verb=$2
    shift 2
    if [ -f "$ca" ]; then local -x REQUESTS_CA_BUNDLE=$ca; fi
    local said real done=0
    said=$(timeout -k 10 "${limit:-600}" certbot "$verb" -c "${settings:-$acme/certbot.ini}" "$@" --non-interactive \
        --max-log-backups 20 --config-dir "$folder" --work-dir "$folder/work" --logs-dir "$folder/log" \
        </dev/null 2>&1) || done=$?
    case $done in 124 | 137) said+=$'\n'"certbot did not finish within $((${limit:-600} / 60)) minutes" ;; esac
    # certbot of Debian 12 stumbles over some answers of a server; what the answer was is in its log alone.
    real=$(sed -n 's/^acme\.messages\.Error: //p' "$folder/log/letsencrypt.log" 2>/dev/null | tail -n 1 || true)
    [ $done -eq 0 ] || [ -z "$real" ] || said=${said//"can't set attribute"/"$real"}
    sync -f "$folder" || true
    echo "$said"
    return $done
}

# Out of what certbot said ($1) one line for people: the ACME server's reason or certbot's own. Nothing is decided by it.
reason_in() {
    awk '
        /^ *Type: /   { sub(/^ *Type: */, ""); type = $0 }
        /^ *Detail: / { sub(/^ *Detail: */, ""); detail = type ": " $0; ends = 0; next }
        detail != "" && !ends { if (/^[[:space:]]*$/ || /^Hint:/) ends = 1; else detail = detail " " $0 }
        /^Failed to renew certificate .* with error: / && failed == "" { sub(/.* with error: /, ""); failed = $0 }
        /^(An unexpected error occurred|The following error was encountered):/ { next_is = 1; next }
        next_is && NF { failed = $0; next_is = 0 }
        NF && !/^(Saving debug log|Ask for help|See the logfile|- - -)/ { last = $0 }
        END { print detail != "" ? detail : failed != "" ? failed : last != "" ? last : "certbot gives no reason" }' <<<"$1" \
        | tr -cd '[:print:]' | tr -s ' ' | cut -c 1-500
}

# Which account of certbot's is account $1; nothing where there is none.
account_id() {
    local path
    path=$(find "$acme/accounts/$1/accounts" -name regr.json -print -quit 2>/dev/null || true)
    path=${path%/regr.json}
    echo "${path##*/}"
}

# A new account $1 at directory $2 for the address $3, bound by key identifier $4 ("-": none) with the secret $5.
# Prints what certbot says.
register() {
    local options=(--agree-tos --no-eff-email -m "$3" --server "$2")
    install -d -m 700 "$acme/accounts/$1"
    if [ "$4" != - ]; then
        has_secret "$4" "$5" || return 1
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

has_secret() {
    [ "$1" = - ] || [ -n "$2" ] && return
    echo "an account has to be registered, and the secret of key identifier $1 is not at hand: set the environment variable that \"hmac_key_env\" names, and deploy"
    return 1
}

# Account $1 is not known to its server any more: another one takes its place. Its key is put aside, and comes back
# where no other could be had. The arguments are register's.
register_again() {
    local folder=$acme/accounts/$1 aside
    has_secret "$4" "$5" || return 1
    aside=$acme/aside/$(date -u +%Y-%m-%dT%H.%M.%SZ)-$1
    install -d -m 700 "$acme/aside" "$aside"
    mv "$folder/accounts" "$aside/accounts" || return 1
    register "$@" && return
    [ ! -e "$folder/accounts" ] || mv "$folder/accounts" "$aside/unfinished"
    mv "$aside/accounts" "$folder/accounts"
    find "$aside" -type d -empty -delete
    return 1
}

# After something failed: asks the server of account $1 whether that is lost, and gets another one then. Succeeds
# where that makes another try worthwhile; `away` says why where the server is not there at all, and the next domain
# would only take as long. The arguments are register's.
is_worth_another_try() {
    local told answer=0
    away=
    told=$(ask_authority "$acme/accounts/$1" "$2" "$home/current/acme-ca/$1.pem" 2>/dev/null) || answer=$?
    case $answer in
        3) said=$(register_again "$@") && return 0 ;;
        4) away=$told ;;
    esac
    return 1
}

# Every certificate of account $1 is renewed by the account that is there, also after a registration that was cut off
# behind the new account.
adopt_certificates() {
    local id
    id=$(account_id "$1")
    [ -n "$id" ] || return 0
    find "$acme/accounts/$1/renewal" -name '*.conf' -exec grep -LZxF "account = $id" {} + 2>/dev/null \
        | xargs -0 -r sed -i "s/^account = .*/account = $id/" || true
}

# What is left in account $2 of a first request for domain $1 that broke off keeps certbot from another one. certbot
# writes the settings for renewals last.
drop_remains() {
    [ -s "$acme/accounts/$2/renewal/$1.conf" ] || remove_certificate "$1" "$acme/accounts/$2"
}

mark_failed() {
    echo "$(date -u +%Y-%m-%dT%H:%MZ) $2" >"$acme/failed/$1"
}

fingerprint() {
    openssl x509 -noout -fingerprint -sha256 2>/dev/null || true
}

is_pair() {
    [ -s "$1/fullchain.pem" ] && [ -s "$1/privkey.pem" ]
}

# Whether folder $1 holds a certificate that is valid today, and its key. Whatever a client says of its success, nginx
# would not start with anything else.
is_usable() {
    is_pair "$1" && openssl x509 -noout -checkend 0 -in "$1/fullchain.pem" >/dev/null 2>&1 \
        && [ "$(openssl x509 -noout -pubkey -in "$1/fullchain.pem" 2>/dev/null)" = "$(openssl pkey -pubout -in "$1/privkey.pem" 2>/dev/null)" ]
}

# Takes the certificate that certbot holds for domain $1 by order $2 into use, as a copy that takes the place of the one
# before in one step: certbot changes its own links one after the other, and nginx may be started at any moment. Where
# that fails, the one before stays.
put_in_use() {
    local folder=$acme/issued/$1 from=$acme/accounts/${2%% *}/live/$1 pair
    rm -rf -- "$acme/new"
    mkdir -m 700 "$acme/new" && ln -s ../../../releases "$acme/new/releases" && pair=$(mktemp -d "$acme/new/pair.XXXXXX") \
        && cp -L -- "$from/fullchain.pem" "$from/privkey.pem" "$pair/" && echo "$2" >"$acme/new/order" || return 1
    # After a power failure an empty certificate would keep nginx from starting.
    sync "$pair"/* "$acme/new/order" || return 1
    pair=${pair##*/}
    ln -s "$pair" "$acme/new/live" || return 1
    if [ ! -d "$folder" ]; then
        mv -T "$acme/new" "$folder"
        return
    fi
    mv "$acme/new/$pair" "$folder/$pair" && put_link "$folder/live" "$pair" && mv "$acme/new/order" "$folder/order" || return 1
    find "$folder" -mindepth 1 -maxdepth 1 -name 'pair.*' ! -name "$pair" -exec rm -rf -- {} +
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
    local found left
    if ! found=$(nginx -t -q 2>&1); then
        echo "nginx refuses the configuration, what it served before goes on: $found"
        return 1
    fi
    systemctl is-active --quiet nginx || { echo "nginx is not running"; return 1; }
    reload_nginx
    for _ in $(seq 60); do
        left=$(printf '%s\n' "$@" | not_yet_served)
        [ -n "$left" ] || return 0
        sleep 0.5
    done
    echo "the running nginx did not take the new certificate of ${left//$'\n'/ } within 30 seconds; see journalctl -u nginx"
    return 1
}

# Takes domain $1 out of the accounts in the folders that follow.
remove_certificate() {
    local domain=$1 folder
    shift
    for folder in "$@"; do
        rm -rf -- "$folder/live/$domain" "$folder/archive/$domain" "$folder/renewal/$domain.conf"
    done
}
