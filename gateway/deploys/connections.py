"""pyinfra's connections to hosts, with a sentence for what goes wrong before a command runs there."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from getpass import getuser
from pathlib import Path
from random import uniform
from typing import Any

from paramiko import SSHException
from pyinfra.api import Host, StringCommand
from pyinfra.api.exceptions import ConnectError, PyinfraError
from pyinfra.connectors import docker, ssh
from pyinfra.connectors.base import BaseConnector
from pyinfra.connectors.util import CommandOutput, OutputLine

from gateway.deploys import unattended
from gateway.deploys.connection_words import Login, Rights, is_turned_away, may_pass, no_bash, not_connected, not_run
from gateway.fleet import containers, ssh_keys, vagrant
from gateway.fleet.machine_error import MachineError

# The host prints this before each command's own output; what comes before it is the login shell's.
_BEGIN = "wecom-gateway: begin"
# Where a server turns connections away: the pauses between attempts, each up to twice as long, and the time after which
# there is no other attempt. In seconds.
_WAITS = (0.5, 1, 2, 4, 8)
_PATIENCE = 40
# The pause before the one other attempt where nothing answers, which a restart of sshd or a lost packet may cause.
_ONCE = (1,)
_TROUBLE = "wecom_gateway_trouble"
_LOST = "wecom_gateway_lost"


def use_connector() -> None:
    """Has pyinfra connect by the connectors of this module to the hosts of every inventory that is loaded from here
    on."""
    ssh.SSHConnector = Connector  # type: ignore[misc]
    docker.DockerConnector = DockerContainer  # type: ignore[misc]
    docker.PodmanConnector = PodmanContainer  # type: ignore[misc]
    vagrant.use_connector()
    ssh_keys.prepare_known_hosts()
    unattended.never_wait()


def use_connector_for(host: Host) -> None:
    """The same for a host of an inventory that is loaded already. To be called before the host is initialised."""
    host.connector_cls = _OURS.get(host.connector_cls, host.connector_cls)


def trouble(host: Host) -> str:
    """Why the last command on the host failed. Empty where it did not fail, or did not say."""
    return str(host.connector_data.get(_TROUBLE, ""))


def broke_off(host: Host) -> bool:
    """Whether the last command on the host failed because the connection was lost."""
    return bool(host.connector_data.get(_LOST))


_OriginalSsh = ssh.SSHConnector
_OriginalDocker = docker.DockerConnector
_OriginalPodman = docker.PodmanConnector


class _Telling(BaseConnector):
    """A command that fails says why, and one that never began as well."""

    def _user(self) -> str:
        """The name of who is logged in."""
        return "root"

    def run_shell_command(
        self, command: StringCommand, print_output: bool = False, print_input: bool = False, **arguments: Any
    ) -> tuple[bool, CommandOutput]:
        """As pyinfra's, without what a login shell prints by itself. A command that never began says why."""
        self.host.connector_data.pop(_LOST, None)
        begun = StringCommand("echo", f"'{_BEGIN}'", "&&", command)
        has_password = bool(arguments.get("_sudo_password"))
        try:
            with unattended.asking(not has_password):
                # every connector that this is mixed into has one
                status, output = super().run_shell_command(  # type: ignore[safe-super]
                    begun, print_output, print_input, **arguments
                )
        except TimeoutError:
            seconds = arguments.get("_timeout")
            within = f"within {seconds} seconds" if seconds else "in time"
            self._failed(f"no answer {within}; look there whether it is busy")
            raise
        except PyinfraError as error:  # from what pyinfra puts there before the command: the helper for sudo's password
            return self._failed(str(error))
        except (OSError, SSHException, EOFError) as error:
            return self._lost(str(error) or type(error).__name__)
        if not status and self._is_lost():
            return self._lost("connection lost")
        own, has_begun = _own(output)
        if not has_begun:
            return self._failed(not_run(output.output_lines, self._rights(arguments)))
        self.host.connector_data.pop(_TROUBLE, None)
        if not status and (sentence := no_bash(line.line for line in own)):
            return self._failed(sentence)
        if not status:
            said = [line.line for line in own if line.line.startswith("wecom-gateway: ")]
            self.host.connector_data[_TROUBLE] = " ".join(said).replace("wecom-gateway: ", "")
        return status, CommandOutput(own)

    def _is_lost(self) -> bool:
        """Whether the connection has ended by itself."""
        return False

    def _lost(self, why: str) -> tuple[bool, CommandOutput]:
        told = self._failed(f"the connection broke off ({why}); run again")
        self.host.connector_data[_LOST] = True
        return told

    def _failed(self, sentence: str) -> tuple[bool, CommandOutput]:
        self.host.connector_data[_TROUBLE] = sentence
        return False, CommandOutput([OutputLine("stderr", f"wecom-gateway: {sentence}")])

    def _rights(self, arguments: dict[str, Any]) -> Rights:
        return Rights(
            user=self._user(),
            sudo=bool(arguments.get("_sudo")),
            sudo_user=arguments.get("_sudo_user"),
            temp_dir=arguments.get("_temp_dir") or self.host.get_temp_dir_config(),
        )


class Connector(_Telling, _OriginalSsh):
    """By SSH. Tells of all trouble with a host in two ways only: connecting raises ConnectError, a command fails."""

    def connect(self) -> None:
        """Connects, with more attempts where the server has too many connections at once, with one more where nothing
        answers, or with as many as `ssh_connect_retries` says. Raises ConnectError."""
        given = self.host.data.get("ssh_connect_retries") is not None
        waits = self._given_waits() if given else _waits(_WAITS)
        passing = _waits(_ONCE)
        while True:
            try:
                return self._connect()
            except Exception as error:
                cause = _cause(error)
                if given:
                    wait = next(waits, None) if isinstance(error, OSError | SSHException | EOFError) else None
                elif is_turned_away(cause):
                    wait = next(waits, None)
                else:
                    wait = next(passing, None) if may_pass(cause) else None
                if wait is None:
                    raise ConnectError(self._why(cause)) from None
                time.sleep(wait)

    def _is_lost(self) -> bool:
        transport = self.client.get_transport() if self.client else None
        return transport is None or not transport.is_active()

    def _given_waits(self) -> Iterator[float]:
        for _ in range(self.data["ssh_connect_retries"]):
            least, most = self.data["ssh_connect_retry_min_delay"], self.data["ssh_connect_retry_max_delay"]
            yield uniform(least, most)  # noqa: S311

    def _why(self, cause: BaseException) -> str:
        key = self.data["ssh_key"]
        if key and (fault := ssh_keys.fault(key, Path(self.state.cwd or Path.cwd()))):
            return fault
        if isinstance(cause, unattended.NobodyToAskError) or "is encrypted" in str(cause):
            return f"{key}: is encrypted; set `ssh_key_password`, or leave `ssh_key` out and load it into an SSH agent"
        if isinstance(cause, PyinfraError):
            if self.data["ssh_key_password"]:
                return f"{key}: cannot be opened with `ssh_key_password`; correct it"
            return f"{key}: is of no kind that can be used; right would be an RSA, ECDSA or Ed25519 key"
        if isinstance(cause, RuntimeError):
            return "there is no home folder for ~; set HOME, or name files in full"
        if isinstance(cause, KeyError):
            return "this machine has no name for who runs this; set `ssh_user`"
        return not_connected(cause, self._login())

    def _login(self) -> Login:
        used = getattr(self.client, "_ssh_config", {})
        return Login(
            address=self.data["ssh_hostname"] or self.host.name,
            port=used.get("port") or self.data["ssh_port"] or 22,
            user=self._user(),
            key=self.data["ssh_key"],
            has_password=bool(self.data["ssh_password"]),
            known_hosts=getattr(self.client, "_host_keys_filename", None) or "~/.ssh/known_hosts",
            timeout=self.state.config.CONNECT_TIMEOUT,
        )

    def _user(self) -> str:
        named = getattr(self.client, "_ssh_config", {}).get("username") or self.data["ssh_user"]
        try:
            return str(named or getuser())
        except (KeyError, OSError):
            return "the user who runs this"


class _Container(_Telling, _OriginalDocker):
    """A container that runs. pyinfra itself would take another name for an image, of which it makes a container, and
    would start a container that is stopped, make an image of it and then remove it."""

    def connect(self) -> None:
        """Raises ConnectError where the container does not run."""
        self.local.connect()
        self.container_id = self.data["docker_identifier"]
        try:
            containers.running(self.docker_cmd, self.container_id)
        except MachineError as error:
            raise ConnectError(str(error)) from None

    def disconnect(self) -> None:
        """The container is left as it is."""


class DockerContainer(_Container):
    """`@docker/NAME`."""


class PodmanContainer(_Container, _OriginalPodman):
    """`@podman/NAME`."""

    docker_cmd = "podman"


_OURS: dict[type[BaseConnector], type[BaseConnector]] = {
    _OriginalSsh: Connector,
    _OriginalDocker: DockerContainer,
    _OriginalPodman: PodmanContainer,
}


def _waits(pauses: Iterable[float]) -> Iterator[float]:
    end = time.monotonic() + _PATIENCE
    for wait in pauses:
        if time.monotonic() > end:
            return
        yield uniform(wait, 2 * wait)  # noqa: S311 -- so that hosts do not come back all at once


def _cause(error: Exception) -> BaseException:
    """The error that pyinfra made a ConnectError of."""
    return error.__context__ if isinstance(error, ConnectError) and error.__context__ else error


def _own(output: CommandOutput) -> tuple[list[OutputLine], bool]:
    """The command's own lines, and whether it began at all. Before the mark may stand text without a line's end."""
    lines = list(output)
    for number, one in enumerate(lines):
        if one.buffer_name == "stdout" and one.line.endswith(_BEGIN):
            before = [line for line in lines[:number] if line.buffer_name == "stderr"]
            return before + lines[number + 1 :], True
    return lines, False
