#!/usr/bin/env bash
# ci/deploy.sh SHARD: deploys to the hosts of one shard, 1/2 or 2/2. Where that has none, nothing happens.
set -euo pipefail
cd "$(dirname "$0")/.."
inventory=${INVENTORY:-inventory/prod.py}

hosts=$(.venv/bin/wecom-gateway shard "$inventory" "$1")
limit=()
while read -r host; do
    [ -z "$host" ] || limit+=(--limit "$host")
done <<<"$hosts"
# without --limit it would be every host
[ ${#limit[@]} -gt 0 ] || exit 0
.venv/bin/pyinfra -y "${limit[@]}" "$inventory" deploy.py
