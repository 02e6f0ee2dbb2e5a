"""Debian's Prometheus, for the tests of alerts. It begins with nothing, and keeps nothing when it ends."""

from __future__ import annotations

import http.client
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from lab import containers, hosts
from lab.engine import docker
from lab.errors import LabError
from lab.images import prometheus_image
from lab.progress import Say, silent
from lab.topology import address, container

NAME = "prometheus"
_PORT = 9090
_CONFIGURATION = "/etc/prometheus"
# Where Prometheus finds what `write_metrics` has written.
METRICS = "127.0.0.1:9100"
_TEXTFILES = "/srv/textfiles"


@dataclass(frozen=True)
class Alert:
    """An alert that fires: its name, its other labels, and its annotations, filled in."""

    name: str
    labels: dict[str, str]
    annotations: dict[str, str]


def ensure(folder: Path, say: Say = silent) -> None:
    """Starts a fresh one with the files of the folder as its configuration; the first is prometheus.yml."""
    containers.remove(NAME)
    containers.ensure(
        containers.Spec(
            name=NAME,
            image=prometheus_image(say),
            options=("--stop-signal", "SIGKILL"),
            command=(
                "prometheus",
                f"--config.file={_CONFIGURATION}/prometheus.yml",
                "--storage.tsdb.path=/srv/metrics",
                f"--web.listen-address=:{_PORT}",
            ),
            files={folder: _CONFIGURATION},
        )
    )
    collect = f"exec prometheus-node-exporter --collector.disable-defaults --web.listen-address={METRICS}"
    textfile = f"--collector.textfile --collector.textfile.directory={_TEXTFILES}"
    docker("exec", "--detach", container(NAME), "sh", "-c", f"mkdir {_TEXTFILES}; {collect} {textfile}")
    hosts.wait_until(_is_ready, f"{NAME}: not ready at {address(NAME)}:{_PORT}")
    say(f"{NAME}: up at {address(NAME)}")


def remove() -> None:
    """Removes it, if it is there."""
    containers.remove(NAME)


def write(name: str, text: str) -> None:
    """Replaces a file of its configuration; it reads files of targets again by itself."""
    _put(f"{_CONFIGURATION}/{name}", text)


def write_metrics(text: str) -> None:
    """Has a node exporter beside it expose the metrics, by its textfile collector."""
    _put(f"{_TEXTFILES}/lab.prom", text)


def firing() -> list[Alert]:
    """The alerts that fire now."""
    return [
        Alert(
            one["labels"]["alertname"],
            {label: value for label, value in one["labels"].items() if label != "alertname"},
            one["annotations"],
        )
        for one in _ask("alerts")["alerts"]
        if one["state"] == "firing"
    ]


def query(expression: str) -> list[dict[str, Any]]:
    """The series that an expression gives now. Raises LabError where it cannot be read."""
    result: list[dict[str, Any]] = _ask("query", query=expression)["result"]
    return result


def _put(path: str, text: str) -> None:
    script = 'printf %s "$2" >"$1.part"; mv "$1.part" "$1"'
    containers.exec_in(NAME, ["sh", "-c", script, "sh", path, text])


def _is_ready() -> bool:
    try:
        return _get("/-/ready")[0] == 200
    except OSError:
        return False


def _ask(what: str, **parameters: str) -> dict[str, Any]:
    status, body = _get(f"/api/v1/{what}?{urlencode(parameters)}")
    answer = json.loads(body)
    if status != 200 or answer["status"] != "success":
        raise LabError(f"{NAME}: {what}: {answer.get('error', status)}")
    data: dict[str, Any] = answer["data"]
    return data


def _get(path: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection(address(NAME), _PORT, timeout=10)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()
