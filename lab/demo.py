"""`make demo`: deploys the demo inventory on the lab and shows every mapping by a real request."""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import click

import lab
from lab import client, pki, slb
from lab.errors import LabError
from lab.progress import Say
from lab.topology import address

CHECKOUT = Path(__file__).resolve().parent.parent
INVENTORY = "inventory/demo.py"
SITES = ("card-test", "card", "itsm")

# Which address answers for a domain's public name: the load balancer at edge slb, the gateway at edge tls.
PUBLIC = {"slb": "slb", "tls": "gw-tls"}

_ENTRY = "bsacs/qyweixin.action?flag=weixinqy_test_1121&paytype=qyweixin&ecardFunc=index"


@dataclass(frozen=True)
class Row:
    """A public URL, as site and `rest` (port, path, query), and the upstream URL and status that it must lead to."""

    site: str
    rest: str
    upstream: str | None
    status: int = 200

    def url(self, edge: str) -> str:
        return f"https://{self.site}.{edge}.demo.example{self.rest}"


# The mapping tables of the platforms' own documents, row by row.
ROWS = (
    Row("card-test", f"/bserver/{_ENTRY}", f"https://api.17wanxiao.com/b-server/{_ENTRY}"),
    Row("card-test", "/bserver/", "https://api.17wanxiao.com/b-server/"),
    Row("card-test", ":9001/api/authorize", "https://api.17wanxiao.com/api/authorize"),
    Row("card-test", ":9001/", "https://api.17wanxiao.com/"),
    Row("card", f"/{_ENTRY}", f"https://hub.17wanxiao.com/{_ENTRY}"),
    Row("card", "/", "https://hub.17wanxiao.com/"),
    Row("card", ":9001/api/authorize", "https://open.17wanxiao.com/api/authorize"),
    Row("card", ":9001/", "https://open.17wanxiao.com/"),
    Row("itsm", "/o/itsm/weixin/", "https://paas.inner.example/o/itsm/weixin/"),
    Row("itsm", "/o/itsm/static/weixin/app.js", "https://paas.inner.example/o/itsm/static/weixin/app.js"),
    Row("itsm", "/t/itsm/weixin/?a=1", "https://paas.inner.example/t/itsm/weixin/?a=1"),
    Row("itsm", "/t/itsm/static/weixin/", "https://paas.inner.example/t/itsm/static/weixin/"),
    Row("itsm", "/o/itsm/", None, 404),
    Row("itsm", "/", None, 404),
)


@dataclass(frozen=True)
class Result:
    """What a request showed, and what it should have shown."""

    url: str
    expected: str
    arrived: str
    status: str
    right: bool


def issue_certificates() -> None:
    """Issues certificates for the demo's edge tls sites under files/certs/, where git ignores them."""
    for site in SITES:
        domain = f"{site}.tls.demo.example"
        pki.issue(domain, [domain], CHECKOUT / "files" / "certs" / domain)


def prepare(say: Say) -> None:
    """Brings up the lab with everything that the demo inventory needs."""
    issue_certificates()
    lab.up(progress=say)
    slb.configure({f"{site}.slb.demo.example": [address("gw-slb")] for site in SITES})


def deploy(*options: str, capture: bool = False) -> subprocess.CompletedProcess[str]:
    """Runs `pyinfra -y inventory/demo.py deploy.py` as an operator would, with further `options`."""
    return subprocess.run(
        [str(Path(sys.executable).parent / "pyinfra"), "-y", INVENTORY, "deploy.py", *options],
        cwd=CHECKOUT,
        capture_output=capture,
        text=True,
    )


def ask(row: Row, edge: str) -> Result:
    """Sends the row's request to the address that its domain would resolve to in public."""
    url, expected = row.url(edge), row.upstream or "nowhere"
    try:
        answer = client.request(url, connect=address(PUBLIC[edge]))
    except OSError as error:
        return Result(url, expected, f"{type(error).__name__}: {error}", "-", False)
    arrived = answer.header("X-Lab-Arrived") or "nowhere"
    right = arrived == expected and answer.status == row.status
    return Result(url, expected, arrived, str(answer.status), right)


def ask_verification(site: str, edge: str) -> Result:
    """Fetches the site's verification file as WeCom would."""
    domain = f"{site}.{edge}.demo.example"
    file = next((CHECKOUT / "files" / "verify" / domain).glob("WW_verify_*.txt"))
    url, body = f"https://{domain}/{file.name}", file.read_bytes()
    try:
        answer = client.request(url, connect=address(PUBLIC[edge]), http_version="1.0")
    except OSError as error:
        return Result(url, body.decode(), f"{type(error).__name__}: {error}", "-", False)
    right = answer.status == 200 and answer.body == body
    return Result(url, body.decode(), answer.body[:40].decode(errors="replace"), str(answer.status), right)


def run(say: Say) -> None:
    """Runs the whole demo. Raises LabError where the deploy fails or an answer is wrong."""
    prepare(say)
    say(f"deploying: pyinfra -y {INVENTORY} deploy.py")
    if deploy().returncode != 0:
        raise LabError("the deploy failed; see above")
    say("asking by real requests")
    results = [ask(row, edge) for edge in PUBLIC for row in ROWS]
    results += [ask_verification(site, edge) for edge in PUBLIC for site in SITES]
    _table(results)
    wrong = sum(not result.right for result in results)
    if wrong:
        raise LabError(f"{wrong} of {len(results)} answers are not what they must be")
    say(f"all {len(results)} answers are right")
    click.echo("\nThe gateways stay up: python -m lab status says how to log in, make lab-down removes everything.")


def _table(results: list[Result]) -> None:
    rows = [(one.url, one.arrived, one.status, "ok" if one.right else f"WRONG, not {one.expected}") for one in results]
    head = ("public URL", "arrived at", "status", "")
    widths = [max(len(row[column]) for row in [head, *rows]) for column in range(3)]
    for row in [head, *rows]:
        line = "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=False))
        color = None if row is head else "green" if row[3] == "ok" else "red"
        click.echo(f"{line}  {click.style(row[3], fg=color) if color else row[3]}".rstrip())
