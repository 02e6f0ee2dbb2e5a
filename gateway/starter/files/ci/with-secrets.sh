#!/usr/bin/env bash
# Runs a command with the secrets that the forge's store put into the environment, and takes them away when it ends.
# The SSH key goes into an agent, the age key into a file that only this user reads. None of them is printed.
#
#   GATEWAY_SSH_KEY   the private key that hosts know, without a passphrase
#   GATEWAY_AGE_KEY   what opens privkey.pem.age, where there is any
#
# Others (GATEWAY_KEY_PASSPHRASE, a password for sudo, a CA's secret) are read from the environment by themselves.
set -euo pipefail
cd "$(dirname "$0")/.."

umask 077
private=$(mktemp -d)
agent=
finish() {
    [ -z "$agent" ] || kill "$agent"
    rm -rf "$private"
}
trap finish EXIT

if [ -n "${GATEWAY_AGE_KEY:-}" ]; then
    printf '%s\n' "$GATEWAY_AGE_KEY" | tr -d '\r' >"$private/age.key"
    export GATEWAY_AGE_KEY_FILE=$private/age.key
fi
if [ -n "${GATEWAY_SSH_KEY:-}" ]; then
    eval "$(ssh-agent -s)" >/dev/null
    agent=$SSH_AGENT_PID
    printf '%s\n' "$GATEWAY_SSH_KEY" | tr -d '\r' | ssh-add -q -
fi
unset GATEWAY_AGE_KEY GATEWAY_SSH_KEY

# The hosts' public keys are part of the repository: what a runner has seen before is no proof.
if [ -f known_hosts ]; then
    mkdir -p ~/.ssh
    touch ~/.ssh/known_hosts
    grep -vxFf ~/.ssh/known_hosts known_hosts >"$private/new" || true
    cat "$private/new" >>~/.ssh/known_hosts
fi

"$@"
