# Prints modes and digests of the files of release $1 as they are now; nothing where there is none of it.
list_release() (
    cd "$home/releases/$1" 2>/dev/null || exit 0
    # A file that is not root's, or is no plain file, shows as a mode that no manifest has.
    find . -type f -user root \( -group root -printf 'mode %m %P\n' -o -printf 'mode %m:%g %P\n' \) -o ! -type d -printf 'mode %m-%u-%y %P\n'
    find . -type f -printf '%P\0' | xargs -0 -r sha256sum -- | sed 's/^/digest /'
)

# Prints one SHA-256 over them, which is enough to see that a release is intact.
digest_of_release() {
    local sum
    sum=$(list_release "$1" | sort | sha256sum)
    echo "${sum%% *}"
}
