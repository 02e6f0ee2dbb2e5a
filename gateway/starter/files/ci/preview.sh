#!/usr/bin/env bash
# ci/preview.sh FILE: what `check` says, then what a deploy would change on every host, with the text of every file that
# differs. Both to FILE and to the job's log. Nothing is changed. Ends with 1 where one of them found an error.
set -euo pipefail
cd "$(dirname "$0")/.."
inventory=${INVENTORY:-inventory/prod.py}

{
    echo "\$ wecom-gateway check $inventory"
    .venv/bin/wecom-gateway check "$inventory"
    echo
    echo "\$ pyinfra --dry --diff $inventory deploy.py"
    .venv/bin/pyinfra --dry --diff "$inventory" deploy.py
} </dev/null 2>&1 | tee "$1"
