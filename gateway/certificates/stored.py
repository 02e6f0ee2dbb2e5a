"""A site's certificate in the checkout, files/certs/<domain>/: read for a deploy, written by an import."""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from gateway import file_content
from gateway.certificates import exposed, judging, key_store, keys, mistakes, passphrase, pem
from gateway.problems import Problem

FULLCHAIN, PRIVKEY, PRIVKEY_AGE = "fullchain.pem", "privkey.pem", "privkey.pem.age"

_MAX_BYTES = 1 << 20


def read(
    host: str, domain: str, folder: Path, *, allow_expired: bool = False
) -> tuple[keys.KeyPair | None, list[Problem]]:
    """The pair in `folder`, judged, and all that is wrong with it. None where any of that is an error."""
    wrong: list[str] = []
    chain = key = b""
    try:
        chain = content(folder / FULLCHAIN)
    except ValueError as error:
        wrong.append(str(error))
    try:
        key = _key(folder, chain)
    except ValueError as error:
        wrong.append(str(error))
    if not wrong:
        key_path = folder / (PRIVKEY if _is_there(folder / PRIVKEY) else PRIVKEY_AGE)
        wrong = mistakes.found(folder / FULLCHAIN, chain, key_path, key)
    open_to_others = exposed.notice(folder / PRIVKEY)
    problems = [Problem(host, domain, "cert", open_to_others, "warning")] if open_to_others else []
    if wrong:
        return None, [*problems, *(Problem(host, domain, "cert", text) for text in wrong)]
    verdict = judging.judge(
        domain, chain, key, datetime.now(UTC), passphrase=passphrase.given(), allow_expired=allow_expired
    )
    problems += [Problem(host, domain, "cert", text) for text in verdict.errors]
    problems += [Problem(host, domain, "cert", text, "warning") for text in verdict.warnings]
    return verdict.pair, problems


_ELSEWHERE = {
    "slb": 'behind an SLB the load balancer holds the certificate; delete it here, or set edge "tls"',
    "acme": 'the host gets the certificate from an ACME server; delete it here, or set cert "files"',
}


def unused(host: str, domain: str, folder: Path, elsewhere: Literal["slb", "acme"]) -> list[Problem]:
    """A warning where files lie there for a site whose certificate is elsewhere."""
    try:
        found = [name for name in (FULLCHAIN, PRIVKEY, PRIVKEY_AGE) if _is_there(folder / name)]
    except ValueError as error:
        return [Problem(host, domain, "cert", str(error), "warning")]
    text = f"{folder} holds {', '.join(found)}, which nothing uses: {_ELSEWHERE[elsewhere]}"
    return [Problem(host, domain, "cert", text, "warning")] if found else []


def write(folder: Path, pair: keys.KeyPair, recipients: Sequence[str] = ()) -> list[Path]:
    """Puts a pair into `folder` (0700, files 0600), the key encrypted where there are recipients.

    Both files are complete on disk before the first takes its place, and where the second cannot, the first is
    put back. After an encrypted key is in place a plaintext one is removed. Returns what was stored. Raises
    OSError, or ValueError for a wrong recipient, a plaintext key beside an encrypted one or a folder of another
    user's; then nothing has changed.
    """
    if recipients:
        new = {PRIVKEY_AGE: key_store.encrypt(pair.key, recipients), FULLCHAIN: pair.chain}
    elif _is_there(folder / PRIVKEY_AGE):
        raise ValueError(
            f"{folder / PRIVKEY_AGE}: the key is kept encrypted here; give --encrypt-to age1... again, or delete "
            "that file first to keep it in the clear from now on"
        )
    else:
        new = {PRIVKEY: pair.key, FULLCHAIN: pair.chain}
    mode_before = stat.S_IMODE(folder.stat().st_mode) if folder.exists() else None
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        folder.chmod(0o700)  # before anything is replaced: only the folder's owner may
    except PermissionError:
        raise ValueError(f"{folder} belongs to another user, who could read the key; {_make_yours(folder)}") from None
    try:
        _replace(folder, new)
    except BaseException:
        if mode_before is None:
            folder.rmdir()
        else:
            folder.chmod(mode_before)
        raise
    if recipients:
        (folder / PRIVKEY).unlink(missing_ok=True)
    return [folder / name for name in reversed(new)]


def _replace(folder: Path, new: Mapping[str, bytes]) -> None:
    staged: dict[str, Path] = {}
    before: dict[str, Path | None] = {}
    try:
        for name, body in new.items():
            staged[name] = _stage(folder, name, body)
        for name in new:
            path = folder / name
            before[name] = _stage(folder, name, path.read_bytes()) if path.is_file() else None
        done: list[str] = []
        try:
            for name in new:
                done.append(name)
                staged[name].replace(folder / name)
        except BaseException:
            for name in done:
                old = before[name]
                if old is not None:
                    old.replace(folder / name)
                elif not staged[name].exists():  # it had taken its place
                    (folder / name).unlink()
            raise
    finally:
        for leftover in (*staged.values(), *before.values()):
            if leftover is not None:
                leftover.unlink(missing_ok=True)


def _stage(folder: Path, name: str, body: bytes) -> Path:
    """A file that its owner alone can read from its first moment on, safely on disk."""
    handle, path = tempfile.mkstemp(prefix=f".{name}.", dir=folder)
    with os.fdopen(handle, "wb") as file:
        file.write(body)
        file.flush()
        os.fsync(handle)
    return Path(path)


def _key(folder: Path, chain: bytes) -> bytes:
    plain, encrypted = folder / PRIVKEY, folder / PRIVKEY_AGE
    if _is_there(plain) and _is_there(encrypted):
        raise ValueError(f"{plain} and {encrypted} are both there; {_which_to_delete(plain, encrypted, chain)}")
    if _is_there(encrypted):
        body = content(encrypted)
        if wrong := mistakes.not_encrypted(encrypted, body):
            raise ValueError(wrong)
        return key_store.decrypt(body, str(encrypted))
    return content(plain)


def _which_to_delete(plain: Path, encrypted: Path, chain: bytes) -> str:
    """Advice that keeps the certificate's own key, where that can be told."""
    try:
        leaves = {keys.public(one) for one in pem.load_certificates(chain)}
        secret = key_store.decrypt(content(encrypted), str(encrypted))
        if keys.public(keys.load_key(secret, passphrase.given())) in leaves:
            return f"delete {plain}, the encrypted one is the certificate's key"
        if keys.public(keys.load_key(content(plain), passphrase.given())) in leaves:
            return f"delete {encrypted}, {plain.name} is the certificate's key"
    except ValueError:
        pass
    return f"delete {plain} if the encrypted one is the certificate's key, else {encrypted}"


def _is_there(path: Path) -> bool:
    """Whether there is such a file. Raises ValueError where its folder does not let this user see."""
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        raise ValueError(_unreadable(path, error)) from None
    return True


def _unreadable(path: Path, error: OSError) -> str:
    # `sudo python -m gateway import-cert` leaves a folder that is root's alone
    remedy = f"; {_make_yours(path.parent)}" if isinstance(error, PermissionError) else ""
    return f"{path} cannot be read: {error.strerror}{remedy}"


def _make_yours(folder: Path) -> str:
    return f'make the folder yours: sudo chown -R "$USER" {folder}'


def content(path: Path) -> bytes:
    """A file's bytes. Raises ValueError saying why there are none."""
    try:
        body = file_content.content(path, _MAX_BYTES)
    except FileNotFoundError:
        raise ValueError(
            f'{path} is missing; edge "tls" needs {FULLCHAIN} and {PRIVKEY} there '
            f"(python -m gateway import-cert {path.parent.name} FILE... puts them there)"
        ) from None
    except OSError as error:
        raise ValueError(_unreadable(path, error)) from None
    except ValueError as error:
        raise ValueError(f"{path} {error}; put the right file there") from None
    if len(body) > _MAX_BYTES:
        raise ValueError(f"{path} is larger than any certificate; put the right file there")
    return body
