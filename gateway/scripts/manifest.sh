# Prints mode and digest of every file of release $1, nothing where there is none. Changes nothing.
cd "$home/releases/$1" 2>/dev/null || exit 0
# A file that is not root's, or is no plain file, shows as a mode that no manifest has.
find . -type f -user root -printf 'mode %m %P\n' -o ! -type d -printf 'mode %m-%u-%y %P\n'
find . -type f -printf '%P\0' | xargs -0 -r sha256sum -- | sed 's/^/digest /'
[ ! -f sources ] || sed 's/^/source /' sources
