"""What of an answer is compared: what visitors and WeCom go by, and what stays the same from one answer to the next.

Never Date, Server, lengths or request ids; of a cookie never the value, of a query string only the names in it.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from urllib.parse import SplitResult, parse_qsl, urljoin, urlsplit

from gateway.outside import reach
from gateway.outside.probe import Answer, Unanswered

Said = Answer | Unanswered
# What can be compared of an answer, each with a text that is equal where it is alike.
Traits = Mapping[str, str]

# A value within a path, of a session for example: /login;jsessionid=1A2B
_PATH_VALUE = re.compile(r"(;[^=/;]*=)[^/;]*")


def of_page(said: Said, url: str) -> Traits:
    """All that is compared of an answer to a request for `url`.

    Of an error page the status alone: each server has pages of its own. Of a redirect not what stands beside it.
    """
    if isinstance(said, Unanswered):
        return of_status(said, url)
    found = dict(of_status(said, url))
    headers = said.headers
    if reach.ARRIVED in headers:
        found["arrived at"] = headers[reach.ARRIVED].partition("?")[0]
    if said.status >= 400:
        return found
    found |= dict(cookies(said))
    if url.startswith("https:"):
        found["HSTS"] = _parameters(headers.get("strict-transport-security", "")) or "none"
    if 300 <= said.status < 400:
        found["Location"] = location(headers.get("location", ""), url)
    if 200 <= said.status < 300:
        found["content type"] = _parameters(headers.get("content-type", "")) or "none"
        found["content"] = _content(said.body)
    return found


def of_file(said: Said, url: str) -> Traits:
    """What is compared of a verification file."""
    found = dict(of_status(said, url))
    if isinstance(said, Answer) and said.status == 200:
        found["content"] = _content(said.body)
    return found


def of_status(said: Said, _url: str) -> Traits:
    """The status, or why there is no answer."""
    return {"answer": str(said) if isinstance(said, Unanswered) else str(said.status)}


def of_service(said: Said, _url: str) -> Traits:
    """Whether a request is served at all, in whichever way it is not."""
    served = isinstance(said, Answer) and said.status < 400
    return {"answer": "is served" if served else "is not served"}


def shown(said: Said, url: str) -> str:
    """An answer in few words."""
    if isinstance(said, Unanswered):
        return str(said)
    if 300 <= said.status < 400:
        return f"{said.status} to {location(said.headers.get('location', ''), url)}"
    return f"{said.status}" + (", a page of the gateway" if said.is_gateways_own else "")


def cookies(answer: Answer) -> Iterator[tuple[str, str]]:
    """For each cookie its name and everything but its value and its time."""
    for line in answer.cookies:
        pair, *rest = line.split(";")
        name = pair.partition("=")[0].strip()
        attributes = {}
        for one in rest:
            key, _, value = one.partition("=")
            attributes[key.strip().lower()] = value.strip()
        domain = attributes.get("domain", "").removeprefix(".").lower()
        parts = [f"Domain={domain}" if domain else "", f"Path={attributes['path']}" if attributes.get("path") else ""]
        parts += [flag for flag in ("Secure", "HttpOnly") if flag.lower() in attributes]
        parts += [f"SameSite={attributes['samesite'].capitalize()}" if attributes.get("samesite") else ""]
        yield f"cookie {name}", ", ".join(filter(None, parts)) or "without Domain and Path"


def location(text: str, url: str) -> str:
    """Where a redirect in the answer for `url` leads: the whole URL, and of its query the names.

    The query of `url` itself is shown where it comes back as it was sent; so is where WeCom's login is to lead back to.
    """
    if not text:
        return "nowhere (no Location)"
    try:
        # a browser completes what is relative
        parts = urlsplit(urljoin(url, text))
        query = _query(parts.query, urlsplit(url).query)
    except ValueError:
        return "no URL"
    fragment = parts.fragment.partition("?")[0]
    return _origin_and_path(parts) + query + (f"#{fragment}" if fragment and "=" not in fragment else "")


def _origin_and_path(parts: SplitResult) -> str:
    path = _PATH_VALUE.sub(r"\1...", parts.path) or "/"
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2].lower()}{path}"


def _query(query: str, sent: str) -> str:
    if not query or query == sent:
        return f"?{query}" if query else ""
    named = []
    for name, value in sorted(parse_qsl(query, keep_blank_values=True)):
        back = urlsplit(value) if name == "redirect_uri" else None
        named.append(f"{name}={_origin_and_path(back) if back and back.netloc else '...'}")
    return "?" + "&".join(named)


def _parameters(text: str) -> str:
    """A header's value and parameters, whatever their case and order."""
    first, *rest = [part.strip().lower() for part in text.split(";")]
    return "; ".join([first, *sorted(part for part in rest if part and not part.startswith("boundary="))])


def _content(body: bytes) -> str:
    return f"{len(body)} bytes, SHA-256 {hashlib.sha256(body).hexdigest()[:12]}"
