# Certificates from ACME servers. What belongs to them lies outside of the releases, in $acme:
#   accounts/<account>/     certbot's configuration for each account: its key, its certificates, its log
#   issued/<domain>/        there as soon as the domain has a certificate: `live` is a link to the copy of it that nginx
#                           reads, `order` is the order that it was asked for with, and `releases` is a link by which a
#                           release includes the domain's TLS servers, so that it does so only where the folder is there
#   failed/<domain>         when and why the last request or renewal failed
#   aside/<time>-<account>/ the key of an account that was replaced by another one
#
# There are two locks. A script that changes accounts/ or failed/ holds the ACME lock, for as long as a server lets
# certbot wait. A script that changes issued/, or anything else that nginx reads, holds the deploy's lock, for a moment.
# Who needs both takes the ACME lock first. Who has the deploy's lock never waits for the ACME lock: where it is taken,
# what needs both is left to the script that holds it.

# Prints a line for journald, which takes the number $1 for the level.
log_line() {
    echo "<$1>${*:2}"
}

take_acme_lock() {
    install -d -m 700 "$acme" "$acme/accounts" "$acme/issued" "$acme/failed" "$acme/aside"
    install -d -m 755 "${webroot%/*}" "$webroot"
    # certbot of Debian 11 takes no file for its settings but a regular one, so not /dev/null.
    [ -f "$acme/certbot.ini" ] || echo "# Nothing: all settings are arguments." >"$acme/certbot.ini"
    exec 8>>"$acme/.lock"
    flock -w 300 8 || fail "certificates of this host have been asked for elsewhere for five minutes; try again later"
    # A registration that was cut off leaves its secret here.
    rm -f /run/wecom-gateway-eab.*
}

# The same for a script that has the deploy's lock already. Fails where another one has the ACME lock, and where no
# certificate was ever asked for.
try_acme_lock() {
    [ -d "$acme" ] && exec 8>>"$acme/.lock" && flock -n 8
}

# In this order, so that whoever gets the deploy's lock next can have the other one too.
release_locks() {
    exec 8>&-
    exec 9>&-
}

# Runs certbot with the arguments that follow for account $1, for $limit seconds at most. It asks no questions and reads
# nothing that somebody configured for certificates of their own. $settings is a file with those settings that must not
# stand on a command line. Prints what certbot says.
run_certbot() {
    local folder=$acme/accounts/$1 ca=$home/current/acme-ca/$1.pem verb=$2
    shift 2
    if [ -f "$ca" ]; then local -x REQUESTS_CA_BUNDLE=$ca; fi
    local said real done=0
    said=$(timeout -k 10 "${limit:-600}" certbot "$verb" -c "${settings:-$acme/certbot.ini}" "$@" --non-interactive \
        --max-log-backups 20 --config-dir "$folder" --work-dir "$folder/work" --logs-dir "$folder/log" \
        </dev/null 2>&1) || done=$?
    case $done in 124 | 137) said+=$'\n'"certbot did not finish within $((${limit:-600} / 60)) minutes" ;; esac
    # certbot of Debian 12 fails on some answers of a server with an error of its own; the answer is in its log alone.
    real=$(sed -n 's/^acme\.messages\.Error: //p' "$folder/log/letsencrypt.log" 2>/dev/null | tail -n 1 || true)
    [ $done -eq 0 ] || [ -z "$real" ] || said=${said//"can't set attribute"/"$real"}
    sync_disk "$folder" || true
    echo "$said"
    return $done
}

# One line for people out of what certbot said ($1): the ACME server's reason, else certbot's own. No script goes by it.
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

# Prints the id that certbot has for account $1; nothing where it is not registered.
account_id() {
    local path
    path=$(find "$acme/accounts/$1/accounts" -name regr.json -print -quit 2>/dev/null || true)
    path=${path%/regr.json}
    echo "${path##*/}"
}

# Registers account $1 at directory $2 for the e-mail address $3, bound by key identifier $4 ("-": none) with the secret
# $5. Prints what certbot says.
register() {
    local options=(--agree-tos --no-eff-email -m "$3" --server "$2")
    install -d -m 700 "$acme/accounts/$1"
    if [ "$4" != - ]; then
        has_secret "$4" "$5" || return 1
        # Everybody on the host can read a command line; this file is root's alone, and in memory.
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

# For an account $1 that its server does not know any more: registers another one in its place. The old key is put
# aside, and put back where no other account could be had. The arguments are register's.
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

# To be called after certbot failed: asks the server whether it still knows account $1, and registers another one where
# it does not. Succeeds where it did, so that another try is worthwhile. `away` says why where the server does not
# answer at all, which would be the same for the next domain. The arguments are register's.
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

# Has certbot renew every certificate in the folder of account $1 with the account that is registered there now: it may
# have replaced another one since they were issued.
adopt_certificates() {
    local id
    id=$(account_id "$1")
    [ -n "$id" ] || return 0
    find "$acme/accounts/$1/renewal" -name '*.conf' -exec grep -LZxF "account = $id" {} + 2>/dev/null \
        | xargs -0 -r sed -i "s/^account = .*/account = $id/" || true
}

# Removes what a first request for domain $1 that broke off has left in account $2: certbot would not ask again. certbot
# writes the settings for renewals last, so that a request without them broke off.
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

# Whether folder $1 holds a certificate that is valid today, and its key. Looked at even where certbot reports success:
# nginx would not start with anything else.
is_usable() {
    is_pair "$1" && openssl x509 -noout -checkend 0 -in "$1/fullchain.pem" >/dev/null 2>&1 \
        && [ "$(openssl x509 -noout -pubkey -in "$1/fullchain.pem" 2>/dev/null)" = "$(openssl pkey -pubout -in "$1/privkey.pem" 2>/dev/null)" ]
}

# Has nginx read the certificate that certbot holds for domain $1 by order $2. nginx reads a copy, which replaces the
# one before in one step: certbot changes its own links one after the other, and nginx may be started at any moment.
# Where this fails, the copy before stays.
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

# Those of the domains on standard input for which the running nginx shows another certificate than the stored one.
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
    if ! found=$(run_nginx -t -q 2>&1 | in_checkout); then
        echo "nginx refuses the configuration, what it served before goes on: $found"
        return 1
    fi
    nginx_runs || { echo "nginx is not running"; return 1; }
    reload_nginx
    for _ in $(seq 60); do
        left=$(printf '%s\n' "$@" | not_yet_served)
        [ -n "$left" ] || return 0
        sleep 0.5
    done
    echo "the running nginx did not take the new certificate of ${left//$'\n'/ } within 30 seconds; see nginx's error log"
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
