"""A site's certificate in the checkout, files/certs/<domain>/: a deploy reads it, import-cert writes it."""

from __future__ import annotations

import stat
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from gateway import file_content, whole_file
from gateway.certificates import exposed, judging, key_store, keys, mistakes, passphrase, pem
from gateway.problems import Problem

FULLCHAIN, PRIVKEY, PRIVKEY_AGE = "fullchain.pem", "privkey.pem", "privkey.pem.age"

_MAX_BYTES = 1 << 20


def read(
    host: str, domain: str, folder: Path, *, allow_expired: bool = False
) -> tuple[keys.KeyPair | None, list[Problem]]:
    """The pair in `folder`, and everything that is wrong with it. The pair is None where any problem is an error.

    An expired certificate is an error, or a warning with `allow_expired`.
    """
    wrong: list[str] = []
    chain = key = b""
    try:
        chain = read_file(folder / FULLCHAIN)
    except ValueError as error:
        wrong.append(str(error))
    try:
        key = _key(folder, chain)
    except ValueError as error:
        wrong.append(str(error))
    if not wrong:
        key_path = folder / (PRIVKEY if _is_there(folder / PRIVKEY) else PRIVKEY_AGE)
        wrong = mistakes.wrong_contents(folder / FULLCHAIN, chain, key_path, key)
    open_to_others = exposed.mode_warning(folder / PRIVKEY)
    problems = [Problem(host, domain, "cert", open_to_others, "warning")] if open_to_others else []
    if wrong:
        return None, [*problems, *(Problem(host, domain, "cert", text) for text in wrong)]
    verdict = judging.judge(
        domain, chain, key, datetime.now(UTC), passphrase=passphrase.from_environment(), allow_expired=allow_expired
    )
    problems += [Problem(host, domain, "cert", text) for text in verdict.errors]
    problems += [Problem(host, domain, "cert", text, "warning") for text in verdict.warnings]
    return verdict.pair, problems


_ELSEWHERE = {
    "slb": 'behind an SLB the load balancer holds the certificate; delete it here, or set edge "tls"',
    "acme": 'the host gets the certificate from an ACME server; delete it here, or set cert "files"',
}


def unused(host: str, domain: str, folder: Path, elsewhere: Literal["slb", "acme"]) -> list[Problem]:
    """A warning where `folder` holds files that nothing uses, as the site's certificate is `elsewhere`."""
    try:
        found = [name for name in (FULLCHAIN, PRIVKEY, PRIVKEY_AGE) if _is_there(folder / name)]
    except ValueError as error:
        return [Problem(host, domain, "cert", str(error), "warning")]
    text = f"{folder} holds {', '.join(found)}, which nothing uses: {_ELSEWHERE[elsewhere]}"
    return [Problem(host, domain, "cert", text, "warning")] if found else []


def write(folder: Path, pair: keys.KeyPair, recipients: Sequence[str] = ()) -> list[Path]:
    """Puts a pair into `folder` (0700, files 0600), the key encrypted if there are recipients (age1...).

    Both files are complete on disk before either replaces an old one, and where the second cannot be put in place, the
    first is put back. Once an encrypted key is in place, a plaintext one is removed.

    Returns the paths of certificate and key. Raises OSError; or ValueError for a wrong recipient, for a plaintext key
    where an encrypted one is kept, or for another user's folder. Then nothing has changed.
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
    """Writes the files `new` into `folder`: all of them, or none where an error is raised."""
    staged: dict[str, Path] = {}
    before: dict[str, Path | None] = {}
    try:
        for name, body in new.items():
            staged[name] = whole_file.stage(folder / name, body)
        for name in new:
            path = folder / name
            before[name] = whole_file.stage(path, path.read_bytes()) if path.is_file() else None
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
                elif not staged[name].exists():  # it is in place already
                    (folder / name).unlink()
            raise
    finally:
        for leftover in (*staged.values(), *before.values()):
            if leftover is not None:
                leftover.unlink(missing_ok=True)


def _key(folder: Path, chain: bytes) -> bytes:
    """The key's file, decrypted where it is an age file. Raises ValueError. `chain` tells which of two is right."""
    plain, encrypted = folder / PRIVKEY, folder / PRIVKEY_AGE
    if _is_there(plain) and _is_there(encrypted):
        raise ValueError(f"{plain} and {encrypted} are both there; {_which_to_delete(plain, encrypted, chain)}")
    if _is_there(encrypted):
        body = read_file(encrypted)
        if wrong := mistakes.wrong_age_file(encrypted, body):
            raise ValueError(wrong)
        return key_store.decrypt(body, str(encrypted))
    return read_file(plain)


def _which_to_delete(plain: Path, encrypted: Path, chain: bytes) -> str:
    """Which of two key files to delete: the one that is not the certificate's, where that can be told."""
    try:
        leaves = {keys.public_key(one) for one in pem.load_certificates(chain)}
        secret = key_store.decrypt(read_file(encrypted), str(encrypted))
        if keys.public_key(keys.load_key(secret, passphrase.from_environment())) in leaves:
            return f"delete {plain}, the encrypted one is the certificate's key"
        if keys.public_key(keys.load_key(read_file(plain), passphrase.from_environment())) in leaves:
            return f"delete {encrypted}, {plain.name} is the certificate's key"
    except ValueError:
        pass
    return f"delete {plain} if the encrypted one is the certificate's key, else {encrypted}"


def _is_there(path: Path) -> bool:
    """Whether there is such a file. Raises ValueError where this user may not look into its folder."""
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        raise ValueError(_unreadable(path, error)) from None
    return True


def _unreadable(path: Path, error: OSError) -> str:
    # such a folder is left by `sudo python -m gateway import-cert`
    remedy = f"; {_make_yours(path.parent)}" if isinstance(error, PermissionError) else ""
    return f"{path} cannot be read: {error.strerror}{remedy}"


def _make_yours(folder: Path) -> str:
    return f'make the folder yours: sudo chown -R "$USER" {folder}'


def read_file(path: Path) -> bytes:
    """A file's bytes. Raises ValueError with why it cannot be read or is too large, and what would be right."""
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
