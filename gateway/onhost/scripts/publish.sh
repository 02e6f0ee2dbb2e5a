# Puts release $1 beside the others. Standard input is its archive, base64; $2 is the archive's SHA-256.
# Nothing points at it yet. Whatever goes wrong, nothing of it stays.
release=$1 digest=$2
target=$home/releases/$release
take_lock
# A deploy whose connection was cut leaves this behind.
rm -rf -- "$home"/releases/.incoming.*
incoming=$(mktemp -d "$home/releases/.incoming.XXXXXX")
trap 'rm -rf -- "$incoming"' EXIT

base64 -d >"$incoming/archive" || fail "the upload arrived damaged or the disk is full; nothing was changed"
echo "$digest  $incoming/archive" | sha256sum --check --status \
    || fail "the upload broke off; nothing was changed, deploy again"
mkdir "$incoming/tree"
tar -xzpf "$incoming/archive" -C "$incoming/tree" || fail "the release could not be unpacked; nothing was changed"
chmod 755 "$incoming/tree"
# Without this a power failure could leave files empty, and nginx would start with nothing.
sync_disk "$incoming" || fail "the release could not be written to the disk; nothing was changed"

# A mark, so that another deploy between this and the activation does not remove the release as an old one.
mkdir -p "$home/pending"
touch "$home/pending/$release"

# What host it was rendered for lies beside the release, since that may change while the release is the same.
mkdir -p "$home/builds"
[ ! -f "$incoming/tree/build" ] || mv "$incoming/tree/build" "$home/builds/$release"

# For SELinux, where the system has it: files have the type of the folder that they were made in, and keep it.
label_release() {
    ! type -P restorecon >/dev/null || restorecon -R "$target" || true
}

if [ ! -e "$target" ]; then
    mv -T "$incoming/tree" "$target"
    label_release
    exit 0
fi

# The release is there but was changed by hand: put each file back by one atomic rename, since nginx may be
# started at any moment. It has to be loaded again, whatever the running nginx says of itself.
rm -f "$home/activated"
(cd "$target" && find . ! -type d -print0) | while IFS= read -r -d '' file; do
    [ -f "$incoming/tree/$file" ] || rm -f -- "$target/$file"
done
(cd "$incoming/tree" && find . -type d -print0) | while IFS= read -r -d '' folder; do
    mkdir -p "$target/$folder"
    chown --reference="$incoming/tree/$folder" "$target/$folder"
    chmod --reference="$incoming/tree/$folder" "$target/$folder"
    find "$incoming/tree/$folder" -maxdepth 1 -type f -exec mv -f -t "$target/$folder" {} +
done
label_release
