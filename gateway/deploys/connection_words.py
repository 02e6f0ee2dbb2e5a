"""Why a host cannot be logged in to, or runs nothing as root: one sentence with place, fault and remedy. Pure."""

from __future__ import annotations

import errno
import re
import socket
from collections.abc import Iterable
from dataclasses import dataclass

from paramiko import AuthenticationException, BadAuthenticationType, BadHostKeyException, SSHException
from paramiko.proxy import ProxyCommandFailure  # type: ignore[attr-defined]

from gateway.problems import shown

# How it looks from here that sshd closes connections beyond its MaxStartups.
_TURNED_AWAY = re.compile(r"protocol banner|connection (was )?(closed|dropped|reset|lost)|unable to open channel", re.I)
_LONGEST = 160
# What a shell says of it, which has begun to run a command of bash.
_NO_BASH = re.compile(r"\bbash: (command )?not found")


@dataclass(frozen=True)
class Login:
    """How a host is logged in to. Of a password it only says whether there is one. `timeout` is in seconds."""

    address: str
    port: int
    user: str
    key: str | None
    has_password: bool
    known_hosts: str
    timeout: int

    @property
    def place(self) -> str:
        return f"{self.address}, port {self.port}"

    @property
    def means(self) -> str:
        if self.key:
            return f"the key {self.key} (`ssh_key`)"
        return "the password in `ssh_password`" if self.has_password else "any key of the SSH agent or of ~/.ssh"


def is_turned_away(error: BaseException) -> bool:
    """Whether the same attempt may succeed in a moment: the server or a jump host has too many connections at once."""
    if isinstance(error, AuthenticationException | BadHostKeyException):
        return False
    if isinstance(error, EOFError | ConnectionResetError | BrokenPipeError | ProxyCommandFailure):
        return True
    return isinstance(error, SSHException) and bool(_TURNED_AWAY.search(str(error)))


def may_pass(error: BaseException) -> bool:
    """Whether nothing answered in a way that a restart of sshd, a reboot or a lost packet explains."""
    if isinstance(error, socket.gaierror) or not isinstance(error, OSError):
        return False
    numbers = _numbers(error)
    return isinstance(error, TimeoutError) or bool(numbers & {errno.ETIMEDOUT, errno.ECONNREFUSED, errno.EHOSTUNREACH})


def _numbers(error: OSError) -> set[int | None]:
    inner = getattr(error, "errors", {})  # paramiko's, by address
    return {error.errno, *(one.errno for one in inner.values())}


def not_connected(error: BaseException, login: Login) -> str:
    """The sentence for an error that connecting or logging in raised."""
    if isinstance(error, BadAuthenticationType):
        allowed = " or ".join(error.allowed_types)
        return f'{login.place} lets "{login.user}" in by {allowed} alone; set `ssh_key` to a key that it knows'
    if isinstance(error, AuthenticationException):
        return (
            f'{login.place} does not let "{login.user}" in with {login.means}; correct `ssh_user` or `ssh_key`, '
            f"or add the public key to ~/.ssh/authorized_keys of {login.user} there"
        )
    if isinstance(error, BadHostKeyException):
        return (
            f"the host key of {login.place} is not the one in {login.known_hosts}; where the host was set up anew, "
            f"remove the old one: ssh-keygen -f {login.known_hosts} -R {_known_as(login)}; "
            "else somebody may stand in between"
        )
    if is_turned_away(error):
        return (
            f"{login.place} closes the connection before the login, time after time; is that an SSH server, is it "
            "overloaded (MaxStartups), or does it ban this machine? Run again with --limit and fewer hosts"
        )
    if isinstance(error, SSHException):
        return _protocol(str(error), login)
    if isinstance(error, socket.gaierror):
        return f'the name "{shown(login.address)}" does not resolve here; correct the name or set `ssh_hostname`'
    if isinstance(error, OSError):
        return _network(error, login)
    return f"{login.place}: {type(error).__name__}: {_short(str(error))}"


def _protocol(text: str, login: Login) -> str:
    if "authentication methods" in text:
        return (
            f'there is no key to log in to {login.place} as "{login.user}" with; '
            "set `ssh_key`, or load one into the SSH agent"
        )
    if "known_hosts" in text:
        return (
            f"the host key of {login.place} is not in {login.known_hosts} and `ssh_strict_host_key_checking` asks for "
            f"it; compare it with the host's own and add it: ssh-keyscan -p {login.port} {login.address}"
        )
    if "existing session" in text:
        # The connection stands and nobody speaks on it: a host that hangs.
        return _network(TimeoutError(), login)
    return f"{login.place}: {_short(text)}"


def _network(error: OSError, login: Login) -> str:
    if error.filename is not None:
        return (
            f"{error.filename}: {error.strerror}; set `ssh_known_hosts_file` to a file that can be written, "
            "in a folder that there is"
        )
    numbers = _numbers(error)
    if isinstance(error, TimeoutError) or errno.ETIMEDOUT in numbers:
        return (
            f"no answer from {login.place} within {login.timeout} s; is the host up, does a firewall let this machine "
            "in, are `ssh_hostname` and `ssh_port` right?"
        )
    if errno.ECONNREFUSED in numbers:
        return f"nothing listens at {login.place}; is sshd running there, and is `ssh_port` right?"
    if numbers & {errno.EHOSTUNREACH, errno.ENETUNREACH}:
        return f"there is no way from here to {login.place}; is the address right, is a VPN needed?"
    # paramiko's own error says "unable to connect" whatever was the matter, but for a timeout.
    if getattr(error, "errors", {}):
        return f"nothing answers at {login.place}; is sshd running there, and is `ssh_port` right?"
    return f"{login.place}: {error.strerror or _short(str(error))}"


def _known_as(login: Login) -> str:
    return login.address if login.port == 22 else f"'[{login.address}]:{login.port}'"


@dataclass(frozen=True)
class Rights:
    """Whom a command was to run as, and how."""

    user: str
    sudo: bool
    sudo_user: str | None
    temp_dir: str


# What sudo and login shells say, in the order in which it is looked for; the text is what an operator reads.
_SAID = (
    (
        r"unable to run .*askpass|no askpass program|exec format error|failed to create sudo_askpass",
        "sudo cannot get `_sudo_password`: pyinfra's helper cannot run in {temp_dir}, which is mounted noexec, full or "
        "read-only; set `_temp_dir` to a folder of this host where it can, for example "
        '"/home/{user}" or "/var/tmp"',
    ),
    (r"incorrect password|try again", "sudo does not take `_sudo_password` for {user}; correct it"),
    (
        r"must have a tty|terminal is required|no tty present",
        "sudo wants a terminal of {user} (requiretty in /etc/sudoers); allow it without one there: "
        "Defaults:{user} !requiretty",
    ),
    (
        r"password is required|authentication is required|需要密码",
        "sudo wants a password of {user} and nobody is asked for one; allow it without in /etc/sudoers "
        "({user} ALL=(ALL) NOPASSWD: ALL), or set `_sudo_password`",
    ),
    (
        r"not in the sudoers|may not run sudo|not allowed to (execute|run)",
        "{user} may not use sudo to run this as {target}; allow it in /etc/sudoers "
        "({user} ALL=(ALL) NOPASSWD: ALL), or set another `ssh_user`",
    ),
    (r"unknown user", 'there is no user "{target}" for sudo (`_sudo_user`); leave it out, root is right'),
    (r"sudo: (command )?not found", "there is no sudo; set `ssh_user` to root and leave `_sudo` out, or install sudo"),
    (
        r"account is currently not available|nologin",
        "{user} may log in but run nothing, its login shell is nologin; set another `ssh_user`, or give it a shell: "
        "usermod -s /bin/bash {user}",
    ),
    (
        r"password.* (has )?expired|change your password|password change required",
        "the password of {user} has expired and nothing runs until it is changed; log in and change it, or: "
        "chage -M -1 {user}",
    ),
    (
        r"OCI runtime exec failed",
        "no shell runs in this container; deploy to a server or virtual machine, not into a plain container",
    ),
    (r"bash: (command )?not found|unmatched '", "commands of bash cannot run here; install bash, and make it the "
     "login shell: usermod -s /bin/bash {user}"),
)  # fmt: skip


def not_run(lines: Iterable[str], rights: Rights) -> str:
    """The sentence for a command that never began; `lines` are what the host printed instead."""
    said = [line.strip() for line in lines if line.strip()]
    values = {"user": rights.user, "target": rights.sudo_user or "root", "temp_dir": rights.temp_dir}
    for pattern, sentence in _SAID:
        if any(re.search(pattern, line, re.I) for line in said):
            return sentence.format(**values)
    what = f"sudo runs nothing for {rights.user}" if rights.sudo else f"the login shell of {rights.user} runs nothing"
    if not said:
        return f"{what} and says nothing that can be read; look for `exit` or other encodings in its ~/.bashrc"
    return f'{what}; the host says: "{_short(said[-1])}"'


def no_bash(lines: Iterable[str]) -> str:
    """The sentence where `lines`, printed by a command that failed, say that there is no bash; else empty."""
    if any(_NO_BASH.search(line) for line in lines):
        return (
            "there is no bash, which everything here is run by; a server gets it by: apt install bash; a plain "
            "container cannot be deployed to, take a server or virtual machine"
        )
    return ""


def _short(text: str) -> str:
    text = shown(text)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
