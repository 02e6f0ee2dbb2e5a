"""The lab's SSH key and the hosts' public keys."""

import os
from collections.abc import Mapping

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from lab.topology import KNOWN_HOSTS, SSH_KEY


def ensure_key() -> str:
    """The lab's public key as a line for authorized_keys. The key pair is made if there is none."""
    public_file = SSH_KEY.with_suffix(".pub")
    if not (SSH_KEY.exists() and public_file.exists()):
        key = Ed25519PrivateKey.generate()
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
        )
        public = key.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
        SSH_KEY.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        SSH_KEY.unlink(missing_ok=True)
        with os.fdopen(os.open(SSH_KEY, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(private)
        public_file.write_text(f"{public.decode()} wecom-lab\n")
    return public_file.read_text().strip()


def remember_hosts(keys: Mapping[str, str]) -> None:
    """Puts `{address: public host key}` into known_hosts; entries of other addresses stay."""
    entries: dict[str, str] = {}
    if KNOWN_HOSTS.exists():
        entries = dict(line.split(" ", 1) for line in KNOWN_HOSTS.read_text().splitlines() if " " in line)
    entries |= {address: " ".join(key.split()[:2]) for address, key in keys.items()}
    KNOWN_HOSTS.write_text("".join(f"{address} {key}\n" for address, key in sorted(entries.items())))
