# What there is of release $1, nothing where there is none. Changes nothing. $2 says how much is wanted:
# "digest": one line, the SHA-256 over its files' modes and digests, enough to see that a release is intact.
# "files": those modes and digests. "sources": what the files were before the release's id went into them.
list() {
    # A file that is not root's, or is no plain file, shows as a mode that no manifest has.
    find . -type f -user root -printf 'mode %m %P\n' -o ! -type d -printf 'mode %m-%u-%y %P\n'
    find . -type f -printf '%P\0' | xargs -0 -r sha256sum -- | sed 's/^/digest /'
}
cd "$home/releases/$1" 2>/dev/null || exit 0
case $2 in
    digest) list | sort | sha256sum | cut -d ' ' -f 1 ;;
    files) list ;;
    sources) [ ! -f sources ] || cat sources ;;
esac
