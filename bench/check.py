"""`python -m bench.check`: the lint that comes before every deploy, over a hundred sites at edge tls on ten hosts.

Prints the median wall seconds of the whole command, expected to be under 1. Needs no host and no lab.
"""

from __future__ import annotations

import datetime
import pprint
import shutil
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import click
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from bench import commands
from bench.errors import BenchError
from bench.progress import say
from bench.schools import Fleet, School
from bench.tools import copied_checkout

_HOSTS, _SITES = 10, 100
_RUNS = 5
_EXPECTED = 1
_ROOT = Path(__file__).resolve().parent.parent
_TRUSTED = Path("/etc/ssl/certs/ca-certificates.crt")


@dataclass(frozen=True)
class _Signed:
    """An RSA certificate with its key."""

    certificate: x509.Certificate
    key: rsa.RSAPrivateKey

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(Encoding.PEM)


@click.command()
def cli() -> None:
    """Measure `python -m gateway check` with a hundred sites at edge tls."""
    try:
        with tempfile.TemporaryDirectory(prefix="wecom-bench-") as temporary:
            folder = Path(temporary) / "checkout"
            trusted = _checkout(folder)
            command = [sys.executable, "-m", "gateway", "check", "inventory/bench.py"]
            seconds = [commands.run(command, folder, {"SSL_CERT_FILE": str(trusted)}) for _ in range(_RUNS + 1)]
    except BenchError as error:
        raise click.ClickException(str(error)) from None
    taken = median(seconds[1:])  # the first one compiles the package's modules
    verdict = "met" if taken < _EXPECTED else "NOT MET"
    click.echo(
        f"check of {_SITES} sites at edge tls on {_HOSTS} hosts: {taken:.2f} s, expected under {_EXPECTED}: {verdict}"
    )


def _checkout(folder: Path) -> Path:
    """A checkout that git knows, every site with its files and a chain that a browser takes. Returns whom it trusts."""
    say(f"making {_SITES} RSA keys and certificates")
    copied_checkout(folder)
    shutil.copy(_ROOT / ".gitignore", folder)
    root = _signed("Bench Root", None)
    middle = _signed("Bench Intermediate", root, ca=True)
    trusted = folder.parent / "trusted.pem"
    trusted.write_bytes((_TRUSTED.read_bytes() if _TRUSTED.exists() else b"") + root.pem)
    schools = Fleet.of(_SITES, "tls").schools
    for school in schools:
        _put(folder / "files", school, middle)
    each = _SITES // _HOSTS
    entries = [
        (f"192.0.2.{number + 1}", {"sites": _entries(schools[number * each : (number + 1) * each])})
        for number in range(_HOSTS)
    ]
    (folder / "inventory" / "bench.py").write_text(f"wanxiao_prod = {pprint.pformat(entries)}\n")
    for arguments in (["init", "-q"], ["add", "."]):
        commands.run(["git", *arguments], folder)
    return trusted


def _entries(schools: Sequence[School]) -> list[dict[str, object]]:
    return [school.entry() for school in schools]


def _put(files: Path, school: School, authority: _Signed) -> None:
    verify, pair = files / "verify" / school.domain, files / "certs" / school.domain
    for one in (verify, pair):
        one.mkdir(parents=True)
    (verify / school.verify_name).write_text(school.verify_body)
    leaf = _signed(school.domain, authority)
    (pair / "fullchain.pem").write_bytes(leaf.pem + authority.pem)
    (pair / "privkey.pem").write_bytes(leaf.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))


def _signed(name: str, by: _Signed | None, *, ca: bool = False) -> _Signed:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(by.certificate.subject if by else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=90))
        .add_extension(x509.BasicConstraints(ca=ca or by is None, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name.replace(" ", "-"))]), critical=False)
    )
    return _Signed(builder.sign(by.key if by else key, hashes.SHA256()), key)


if __name__ == "__main__":
    cli()
