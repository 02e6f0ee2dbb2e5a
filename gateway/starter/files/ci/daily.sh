#!/usr/bin/env bash
# Asks every host whether it is as the inventory says, then every site from outside. Ends with 1 where one is not.
set -euo pipefail
cd "$(dirname "$0")/.."
inventory=${INVENTORY:-inventory/prod.py}

failed=0
.venv/bin/wecom-gateway status "$inventory" || failed=1
.venv/bin/wecom-gateway verify "$inventory" || failed=1
exit $failed
