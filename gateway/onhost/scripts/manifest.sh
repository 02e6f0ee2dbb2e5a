# Prints a part of release $1, nothing where there is none of it. Changes nothing. $2 is the part:
#   digest  one digest over all of it
#   files   each file's mode and digest
#   held    what the files were before the release's id was written into them, its domains, and where it came from
#   ends    for the domains on standard input, a line each: until when the release's certificates are valid
#   texts   the files at the paths on standard input, a line each, as an archive in base64; files that are private or
#           have a key in them are left out
case $2 in
    digest) digest_of_release "$1" ;;
    files) list_release "$1" ;;
    held)
        sed 's/^/source /' "$home/releases/$1/sources" 2>/dev/null || true
        sed 's/^/domain /' "$home/releases/$1/domains" 2>/dev/null || true
        sed 's/^/origin /' "$home/origins/$1" 2>/dev/null || true
        ;;
    ends)
        while read -r domain; do
            ends=$(openssl x509 -noout -enddate -in "$home/releases/$1/certs/$domain/fullchain.pem" 2>/dev/null || true)
            echo "$domain ${ends#notAfter=}"
        done
        ;;
    texts)
        cd "$home/releases/$1" 2>/dev/null || exit 0
        wanted=$(cat)
        # Each step leaves out more: other users' and private files, files that are no text, files with a key in them.
        set +o pipefail
        find . -type f -user root -perm 644 ! -path './certs/*' -printf '%P\n' | grep -Fx -f <(echo "$wanted") \
            | tr '\n' '\0' | xargs -0 -r grep -lIZ '' -- \
            | xargs -0 -r grep -LZ -e 'PRIVATE[ ]KEY' -e 'AGE-SECRET[-]KEY' -- \
            | tar -cz --null -T - | base64
        ;;
esac
