# What there is of release $1, nothing where there is none. Changes nothing. $2 says how much is wanted:
# "digest": one line over all of it. "files": each file's mode and digest. "sources": what the files were before
# the release's id went into them.
case $2 in
    digest) digest_of_release "$1" ;;
    files) list_release "$1" ;;
    sources) cat "$home/releases/$1/sources" 2>/dev/null || true ;;
esac
