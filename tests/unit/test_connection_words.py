"""What an operator reads where a host cannot be logged in to or runs nothing."""

from __future__ import annotations

import errno
import socket

import pytest
from paramiko import AuthenticationException, BadAuthenticationType, SSHException
from paramiko.ssh_exception import NoValidConnectionsError

from gateway.deploys.connection_words import Login, Rights, is_turned_away, may_pass, not_connected, not_run

LOGIN = Login("203.0.113.10", 2222, "ops", "~/.ssh/id", False, "~/.ssh/known_hosts", 10)
RIGHTS = Rights("ops", True, None, "/tmp")  # noqa: S108


@pytest.mark.parametrize(
    ("error", "parts"),
    [
        (AuthenticationException("Authentication failed."), ('"ops"', "~/.ssh/id", "authorized_keys")),
        (BadAuthenticationType("no", ["publickey"]), ("by publickey alone", "`ssh_key`")),
        (SSHException("No authentication methods available"), ("there is no key", "`ssh_key`")),
        (SSHException("StrictPolicy: No host key for x found in known_hosts"), ("ssh-keyscan -p 2222 203.0.113.10",)),
        (SSHException("Error reading SSH protocol banner"), ("MaxStartups", "--limit")),
        (EOFError(), ("MaxStartups", "--limit")),
        (socket.gaierror(-2, "Name or service not known"), ("does not resolve here", "`ssh_hostname`")),
        (TimeoutError("timed out"), ("no answer from 203.0.113.10, port 2222 within 10 s",)),
        (SSHException("No existing session"), ("no answer from 203.0.113.10, port 2222 within 10 s",)),
        (
            NoValidConnectionsError({("203.0.113.10", 2222): ConnectionRefusedError(errno.ECONNREFUSED, "refused")}),
            ("nothing listens at 203.0.113.10, port 2222", "`ssh_port`"),
        ),
        (OSError(errno.ENETUNREACH, "Network is unreachable"), ("no way from here to 203.0.113.10",)),
        (PermissionError(errno.EACCES, "Permission denied", "/x/known_hosts"), ("/x/known_hosts: Permission denied",)),
        (OSError(errno.EIO, "Input/output error"), ("203.0.113.10, port 2222: Input/output error",)),
        (UnicodeError("label too long"), ("203.0.113.10", "label too long")),
    ],
)
def test_each_error_names_place_fault_and_remedy(error, parts):
    sentence = not_connected(error, LOGIN)
    assert all(part in sentence for part in parts), sentence
    assert "\n" not in sentence
    assert "Errno" not in sentence


@pytest.mark.parametrize(
    ("error", "often", "once"),
    [
        (SSHException("Error reading SSH protocol banner"), True, False),
        (ConnectionResetError(errno.ECONNRESET, "Connection reset by peer"), True, False),
        (EOFError(), True, False),
        (TimeoutError("timed out"), False, True),
        (OSError(errno.EHOSTUNREACH, "No route to host"), False, True),
        (NoValidConnectionsError({("h", 22): ConnectionRefusedError(errno.ECONNREFUSED, "refused")}), False, True),
        (OSError(errno.ENETUNREACH, "Network is unreachable"), False, False),
        (AuthenticationException("Authentication failed."), False, False),
        (SSHException("No authentication methods available"), False, False),
        (socket.gaierror(-2, "Name or service not known"), False, False),
        (socket.gaierror(errno.ETIMEDOUT, "a number of another kind"), False, False),
    ],
)
def test_what_may_go_well_at_the_next_attempt_is_tried_again(error, often, once):
    """Often where a server has too many connections, once where nothing answers; a wrong key or name stays wrong."""
    assert (is_turned_away(error), may_pass(error)) == (often, once)


@pytest.mark.parametrize(
    ("lines", "part"),
    [
        (["sudo: a password is required"], "wants a password of ops"),
        (["sudo-rs: interactive authentication is required"], "wants a password of ops"),
        (["sudo: 需要密码"], "wants a password of ops"),
        (
            ["sudo: unable to run /tmp/pyinfra-sudo-askpass-x: Permission denied", "sudo: a password is required"],
            "`_temp_dir`",
        ),
        (["Sorry, try again.", "sudo: 3 incorrect password attempts"], "does not take `_sudo_password`"),
        (["sudo: sorry, you must have a tty to run sudo"], "requiretty"),
        (
            ["Sorry, user ops is not allowed to execute '/bin/sh -c set -euo", "x' as root on h1."],
            "ops may not use sudo",
        ),
        (["ops is not in the sudoers file."], "ops may not use sudo"),
        (["sudo: unknown user nosuch"], "(`_sudo_user`)"),
        (["bash: line 1: sudo: command not found"], "there is no sudo"),
        (["sh: 1: sudo: not found"], "there is no sudo"),
        (["This account is currently not available."], "usermod -s /bin/bash ops"),
        (["WARNING: Your password has expired."], "has expired"),
        (["bash: warning: setlocale: LC_ALL: cannot change locale (x)", "sudo: no luck\x1b[31m"], "sudo: no luck\\x1b"),
        ([" ", ""], "says nothing that can be read"),
    ],
)
def test_what_a_host_says_instead_of_running_a_command_becomes_one_sentence(lines, part):
    sentence = not_run(lines, RIGHTS)
    assert part in sentence
    assert "\n" not in sentence
    assert len(sentence) < 320
