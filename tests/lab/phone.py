"""A member's phone: follows redirects and keeps cookies by the rules of browsers, for one domain on one host."""

from __future__ import annotations

from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import urljoin, urlsplit

from lab.client import Response

from .checkout import ask


@dataclass
class Phone:
    """`cookies` are values by name and path, of this domain alone: others are no use to it, and are in `refused`."""

    host: str
    domain: str
    cookies: dict[tuple[str, str], str] = field(default_factory=dict)
    refused: list[str] = field(default_factory=list)

    def get(self, url: str, **options: Any) -> Response:
        """One page of the domain. `url` may be a path."""
        whole = urljoin(f"https://{self.domain}/", url)
        parts = urlsplit(whole)
        assert (parts.scheme, parts.netloc) == ("https", self.domain), f"a phone leaves the domain: {whole}"
        sent = "; ".join(f"{name}={value}" for (name, path), value in self.cookies.items() if _below(parts.path, path))
        headers = {**options.pop("headers", {}), **({"Cookie": sent} if sent else {})}
        answer = ask(self.host, whole, headers=headers, **options)
        for text in answer.all("Set-Cookie"):
            self._keep(text)
        return answer

    def follow(self, url: str, hops: int = 5) -> Response:
        """The page that redirects lead to, as long as they stay on the domain."""
        for _ in range(hops):
            answer = self.get(url)
            if answer.status not in (301, 302):
                return answer
            url = answer.header("Location") or ""
            if urlsplit(urljoin(f"https://{self.domain}/", url)).netloc != self.domain:
                return answer
        raise AssertionError(f"redirects without an end, the last to {url}")

    def _keep(self, text: str) -> None:
        for name, one in SimpleCookie(text).items():
            if one["domain"] and one["domain"].lstrip(".") != self.domain:
                self.refused.append(text)
            else:
                self.cookies[name, one["path"] or "/"] = one.value


def _below(path: str, cookie_path: str) -> bool:
    return path == cookie_path or path.startswith(cookie_path.rstrip("/") + "/")
