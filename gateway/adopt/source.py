"""Where a hand-written configuration comes from: a folder, one file, or what `nginx -T` printed.

Files keep the names that they have there. Nothing of it is written anywhere, as it may hold secrets.
"""

from __future__ import annotations

import posixpath
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath

from gateway import file_content
from gateway.problems import shown

_MOST_BYTES = 64 << 20
_HEADER = re.compile(r"^# configuration file (/.+):[ \t]*\n", re.MULTILINE)
# What nginx, sudo or ssh says where nothing was printed.
_FAILED = re.compile(
    r"(?:.*\[(?:warn|notice)\].*\n)*"
    r"(.*(?:\[emerg\]|command not found|password is required|[Pp]ermission denied|未找到命令).*)"
)
_GLOB = re.compile(r"[*?\[]")
_RIGHT = "right would be nginx's own text, or what `nginx -T` printed"
_MAIN = ("nginx.conf", "conf/nginx.conf", "etc/nginx/nginx.conf")


class SourceError(Exception):
    """Nothing can be read; the text says where, what is wrong and what would be right."""


@dataclass(frozen=True)
class Source:
    """Configuration files by name, and how other files that they name are found.

    `tops` are the names of files that no other has to include; names without a slash in front begin at `prefix`.
    `folder` is what an operator gave, None for what `nginx -T` printed. `root` stands for the host's "/", where the
    operator has that, or a copy.
    """

    tops: tuple[str, ...]
    prefix: str
    texts: dict[str, str] = field(repr=False)
    folder: Path | None = None
    root: Path | None = None
    _folders: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list), repr=False)

    def __post_init__(self) -> None:
        for name in self.texts:
            self._folders[posixpath.dirname(name)].append(name)

    def included(self, pattern: str) -> list[str] | None:
        """The names of the files that an include means, in nginx's order. None where a file is meant that is not there;
        a pattern may match nothing."""
        pattern = self._whole(pattern)
        found = self._printed(pattern) if self.folder is None else self._in_folders(pattern)
        return found or ([] if _GLOB.search(pattern) else None)

    def text(self, name: str) -> str:
        """The text of a file. Raises SourceError, and OSError where it cannot be read."""
        if name not in self.texts:
            self.texts[name] = _text(Path(name))
        return self.texts[name]

    def local(self, path: str) -> Path | None:
        """Where a file or folder of the host lies here. None where it does not."""
        places = self._places(self._whole(path))
        return next((one for one in (folder / rest for folder, rest in places) if _exists(one)), None)

    def _whole(self, path: str) -> str:
        return posixpath.normpath(posixpath.join(self.prefix, path))

    def _printed(self, pattern: str) -> list[str]:
        if not _GLOB.search(pattern):
            return [pattern] if pattern in self.texts else []
        folder, last = posixpath.split(pattern)
        if not _GLOB.search(folder):
            return sorted(one for one in self._folders.get(folder, ()) if fnmatchcase(posixpath.basename(one), last))
        deep = pattern.count("/")
        return sorted(one for one in self.texts if one.count("/") == deep and fnmatchcase(one, pattern))

    def _in_folders(self, pattern: str) -> list[str]:
        for folder, rest in self._places(pattern):
            if _GLOB.search(rest) and "/" not in rest and posixpath.normpath(posixpath.join(folder, rest)) != pattern:
                continue  # *.conf of a folder that is not here would be that of any other
            try:
                matching = [*folder.glob(rest)] if _GLOB.search(rest) else [folder / rest]
            except ValueError:  # no pattern to Python
                continue
            if found := sorted(str(one) for one in matching if not one.name.startswith(".") and _is_file(one)):
                return found
        return []

    def _places(self, path: str) -> Iterator[tuple[Path, str]]:
        """Where something may lie here that has that path on its host: a folder, and the path below it.

        In a copy of a folder that is ever less of the path.
        """
        if self.root:
            yield self.root, path.lstrip("/")
        if self.folder:
            for start in (str(self.folder), str(self.folder.absolute())):
                if path.startswith(f"{start}/"):
                    yield self.folder, path.removeprefix(f"{start}/")
            parts = PurePosixPath(path.lstrip("/")).parts
            for number in range(len(parts)):
                yield self.folder, posixpath.join(*parts[number:])


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:
        return False


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:
        return False


def read(path: Path, root: Path | None = None) -> Source:
    """What an operator named. `root` as in Source. Raises SourceError."""
    try:
        if path.is_dir():
            return _folder(path, root)
        text = _text(path)
    except OSError as error:
        raise SourceError(
            f"{path}: cannot be read: {error.strerror}; right would be nginx's folder, a file of it, "
            "or what `nginx -T` printed"
        ) from None
    if not text.strip():
        raise SourceError(f"{path}: is empty; {_RIGHT}")
    if not _HEADER.search(text):
        if failed := _FAILED.match(text.strip()):
            right = "run it as root: ssh HOST sudo nginx -T > old.txt"
            raise SourceError(f'{path}: nginx printed no configuration: "{shown(failed[1].strip())}"; {right}')
        return Source((str(path),), str(path.parent), {str(path): text}, path.parent, root)
    return printed(text, root)


def printed(text: str, root: Path | None = None) -> Source:
    """What `nginx -T` printed. What stands before its first file, nginx's own words, is left out.

    Raises SourceError where no file is in it.
    """
    _, *parts = _HEADER.split(text)
    if not parts:
        raise SourceError("no file of nginx is in what it printed; run `nginx -T` there and see why")
    texts = dict(zip(parts[::2], parts[1::2], strict=True))
    return Source((parts[0],), posixpath.dirname(parts[0]), texts, None, root)


def _folder(folder: Path, root: Path | None) -> Source:
    """A folder with its nginx.conf, or, without one, with all its *.conf files, also in folders inside."""
    for name in _MAIN:
        if (folder / name).is_file():
            main = folder / name
            return Source((str(main),), str(main.parent), {}, main.parent, root)
    found = [one for one in sorted(folder.rglob("*.conf")) if one.is_file()]
    # sites-enabled has files without an ending
    found = found or [one for one in sorted(folder.iterdir()) if one.is_file() and not one.name.startswith(".")]
    if not found:
        raise SourceError(f"{folder}: has no file of nginx; right would be the folder that has nginx.conf or *.conf")
    return Source(tuple(map(str, found)), str(folder), {}, folder, root)


def _text(path: Path) -> str:
    """A file's text, whatever its encoding. Raises SourceError, and OSError where it cannot be read."""
    try:
        body = file_content.as_utf8(file_content.content(path, _MOST_BYTES))
    except ValueError as error:
        raise SourceError(f"{path}: {error}; {_RIGHT}") from None
    if len(body) > _MOST_BYTES:
        raise SourceError(f"{path}: is larger than any configuration; {_RIGHT}")
    if b"\0" in body:
        raise SourceError(f"{path}: is no text; {_RIGHT}")
    return decoded(body)


def decoded(body: bytes) -> str:
    """The text of a file, which in China may be in an encoding of its own."""
    for encoding in ("utf-8", "gb18030"):
        try:
            return body.decode(encoding).replace("\r\n", "\n")
        except UnicodeDecodeError:
            continue
    return body.decode("latin-1").replace("\r\n", "\n")
