"""What is made of the words of certbot, by the functions that a host runs."""

from __future__ import annotations

import subprocess

import pytest

from gateway import scripts

_POOL = "HTTPSConnectionPool(host='ca.example', port=14000): Max retries exceeded with url: /dir (Caused by "
_END = "\nAsk for help or search for solutions at https://community.letsencrypt.org. See the logfile /x/letsencrypt.log"
_ERROR = "Saving debug log to /x/letsencrypt.log\nAn unexpected error occurred:\n"

DEBIAN_12_DOWN = (
    f"{_ERROR}requests.exceptions.ConnectionError: {_POOL}NewConnectionError('<urllib3.connection.HTTPSConnection "
    "object at 0x7f8a>: Failed to establish a new connection: [Errno -2] Name or service not known'))" + _END
)
DEBIAN_13_DOWN = (
    f'{_ERROR}requests.exceptions.ConnectionError: {_POOL}NameResolutionError("<urllib3.connection.HTTPSConnection '
    "object at 0x7f8a>: Failed to resolve 'ca.example' ([Errno -2] Name or service not known)\"))" + _END
)
UNTRUSTED = (
    f"{_ERROR}requests.exceptions.SSLError: {_POOL}SSLError(SSLCertVerificationError(1, '[SSL: "
    "CERTIFICATE_VERIFY_FAILED] certificate verify failed: self-signed certificate (_ssl.c:992)')))" + _END
)
NOT_REACHED = """Saving debug log to /x/letsencrypt.log
Requesting a certificate for wx.a.edu.cn

Certbot failed to authenticate some domains (authenticator: webroot). The Certificate Authority reported these problems:
  Domain: wx.a.edu.cn
  Type:   connection
  Detail: 203.0.113.9: Fetching http://wx.a.edu.cn/.well-known/acme-challenge/x: Timeout during connect (likely
firewall problem)

Hint: The Certificate Authority failed to download the temporary challenge files created by Certbot.

Some challenges have failed."""
FORGOTTEN = (
    _ERROR + "acme.messages.Error: urn:ietf:params:acme:error:accountDoesNotExist :: The request specified an account"
)
DEACTIVATED = (
    _ERROR
    + "urn:ietf:params:acme:error:unauthorized :: The client lacks sufficient authorization :: Account is not valid, "
    'has status "deactivated"'
)
RATE_LIMITED = (
    _ERROR + "urn:ietf:params:acme:error:rateLimited :: too many certificates already issued, retry after 3 h"
)


def _run(call: str, said: str) -> subprocess.CompletedProcess[str]:
    functions = scripts.text("renew").partition("# Run by wecom-gateway-renew.service")[0]
    return subprocess.run(
        ["bash", "-c", f'{functions}\n{call} "$1"', "x", said], capture_output=True, text=True, check=False, timeout=10
    )


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (DEBIAN_12_DOWN, "ca.example:14000 cannot be reached: Name or service not known"),
        (DEBIAN_13_DOWN, "ca.example:14000 cannot be reached: Name or service not known"),
        (UNTRUSTED, "ca.example:14000 is not trusted, its certificate: self-signed certificate"),
        (
            NOT_REACHED,
            "connection: 203.0.113.9: Fetching http://wx.a.edu.cn/.well-known/acme-challenge/x: "
            "Timeout during connect (likely firewall problem)",
        ),
        (
            "Failed to renew certificate wx.a.edu.cn with error: Some challenges have failed.",
            "Some challenges have failed.",
        ),
        ("nothing known\x1b[2J", "nothing known[2J"),
    ],
)
def test_the_reason_is_one_line_that_says_who_and_why(said, reason):
    assert _run("reason_in", said).stdout == f"{reason}\n"


@pytest.mark.parametrize(
    ("said", "unreachable", "lost"),
    [
        (DEBIAN_12_DOWN, True, False),
        (DEBIAN_13_DOWN, True, False),
        (UNTRUSTED, True, False),
        (NOT_REACHED, False, False),
        (FORGOTTEN, False, True),
        (f"{_ERROR}Account https://ca.example/my-account/46c35eea not found.", False, True),
        (DEACTIVATED, False, True),
        (RATE_LIMITED, False, False),
    ],
)
def test_a_server_that_is_away_an_account_that_is_lost_and_a_domain_that_fails_are_told_apart(said, unreachable, lost):
    assert (_run("is_unreachable", said).returncode == 0) == unreachable
    assert (_run("is_lost_account", said).returncode == 0) == lost
