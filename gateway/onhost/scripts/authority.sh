# What an ACME server itself says. certbot's words are for people, and change with its version.

# Asks the server at directory $2 about the account in folder $1. Its certificate is verified with the CA in file $3
# where that file is there. Returns 0 where the server knows the account or there is none, 3 where it does not know it
# or takes nothing from it any more, 4 where nobody answers as an ACME server does, anything else where it did not say.
# Prints why.
ask_authority() {
    if [ -f "$3" ]; then local -x REQUESTS_CA_BUNDLE=$3; fi
    # Python's requests and acme, which certbot itself uses, so that both judge alike.
    timeout -k 10 90 python3 - "$1" "$2" <<'PYTHON'
import json
import pathlib
import sys
from urllib.parse import urlsplit

import requests

folder, url = sys.argv[1:]


def leave(code, text):
    print(" ".join(str(text).split()))
    sys.exit(code)


def cause(error):
    while error.__cause__ or error.__context__:
        error = error.__cause__ or error.__context__
    if getattr(error, "verify_message", ""):
        return "is not trusted, its certificate: " + error.verify_message
    return f"cannot be reached: {getattr(error, 'strerror', None) or error}"


place = urlsplit(url).netloc
try:
    answer = requests.get(url, timeout=30)
except requests.RequestException as error:
    leave(4, f"{place} {cause(error)}")
if not answer.ok:
    leave(4, f"{place} answers {answer.status_code} for {url}")
try:
    directory = answer.json()
    directory["newOrder"]
except (ValueError, KeyError, TypeError):
    leave(4, f"{place} answers with something else than an ACME directory at {url}")

accounts = [path.parent for path in pathlib.Path(folder, "accounts").rglob("regr.json")]
if not accounts:
    sys.exit(0)

import josepy
from acme import client, messages

key = josepy.JWK.from_json(json.loads((accounts[0] / "private_key.json").read_text()))
account = messages.RegistrationResource.from_json(json.loads((accounts[0] / "regr.json").read_text()))
network = client.ClientNetwork(key, account=account, timeout=30)
try:
    # The account's own URL, so that "unauthorized" can mean nothing else (RFC 8555, 7.3.6).
    client.ClientV2(messages.Directory.from_json(directory), network)._post_as_get(account.uri)
except messages.Error as error:
    leave(3 if error.code in ("accountDoesNotExist", "unauthorized") else 1, error.detail)
PYTHON
}
