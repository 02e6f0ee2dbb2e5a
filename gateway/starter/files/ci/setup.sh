#!/usr/bin/env bash
# Makes .venv with what requirements.lock names: packages by hash, wecom-gateway from its wheel in wheels/.
set -euo pipefail
cd "$(dirname "$0")/.."

version=$(sed -n 's/^# wecom-gateway==//p' requirements.lock)
wheel=wheels/wecom_gateway-$version-py3-none-any.whl
if [ ! -f "$wheel" ]; then
    echo "ci/setup.sh: $wheel is not there; wheels/README.md says where it comes from" >&2
    exit 1
fi
"${PYTHON:-python3}" -m venv .venv
pip=(.venv/bin/python -m pip --quiet --disable-pip-version-check install)
"${pip[@]}" --require-hashes --only-binary :all: -r requirements.lock
"${pip[@]}" --no-deps --no-index --force-reinstall "$wheel"
.venv/bin/wecom-gateway --version
