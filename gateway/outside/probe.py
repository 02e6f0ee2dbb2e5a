"""A client that sends one request at a time to a given address. Each is bounded in time and size."""

from __future__ import annotations

import contextlib
import functools
import http.client
import ipaddress
import json
import socket
import ssl
import time
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import gevent

# Seconds that a connection may take, and a whole answer.
CONNECT, WHOLE = 5, 10
_MOST_BYTES = 64 * 1024
# OpenSSL's X509_V_ERR_CERT_HAS_EXPIRED.
EXPIRED = 10
_AGENT = "wecom-gateway-verify"
# A name that no site has: .invalid is nobody's (RFC 6761, 6.4).
UNKNOWN_NAME = "wecom-gateway-check.invalid"

# OpenSSL's reasons where this machine itself cannot speak a version.
_CANNOT = ("NO_PROTOCOLS_AVAILABLE", "NO_CIPHERS_AVAILABLE")
# OpenSSL's reasons where the server speaks only older protocols: its alert says so, or it answers in an old one.
_OUTDATED = ("TLSV1_ALERT_PROTOCOL_VERSION", "UNSUPPORTED_PROTOCOL")

Kind = Literal["refused", "unreachable", "certificate", "handshake", "outdated", "closed", "slow", "garbled"]


class Unanswered(Exception):  # noqa: N818  -- what happened, not necessarily an error
    """There is no answer. The message says why; `code` is OpenSSL's reason where a certificate was not believed."""

    def __init__(self, kind: Kind, text: str, code: int = 0) -> None:
        super().__init__(text)
        self.kind = kind
        self.code = code


@dataclass(frozen=True)
class Tls:
    """What a handshake showed: the protocol, and when the certificate expires, in seconds since 1970 if it is known."""

    protocol: str
    not_after: float | None


@dataclass(frozen=True)
class Answer:
    """An answer. `headers` have names in lower case, `body` is cut off at 64 KiB, `seconds` count from connecting.

    `cookies` has every Set-Cookie header.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    seconds: float
    cookies: tuple[str, ...] = ()

    @property
    def is_gateways_own(self) -> bool:
        """Whether it is an error page of the gateway, in the form that it has for clients that accept JSON."""
        try:
            said = json.loads(self.body)
        except ValueError:
            return False
        return isinstance(said, dict) and {"request_id", "message_zh"} <= said.keys()


@dataclass(frozen=True)
class Door:
    """A port of an address to connect to, and whether TLS is spoken there."""

    address: str
    port: int
    tls: bool

    def url(self, domain: str, target: str = "") -> str:
        """The URL of `target` (path and query) on `domain` at this port."""
        usual = self.port == (443 if self.tls else 80)
        return f"{'https' if self.tls else 'http'}://{domain}{'' if usual else f':{self.port}'}{target}"


class Client:
    """Asks over TLS 1.2 or 1.3, and believes the CAs in the PEM file `ca`, or the system's where it is None.

    Raises OSError (ssl.SSLError is one) where no certificates can be read from that file.
    """

    def __init__(self, ca: Path | None = None) -> None:
        self._believing = ssl.create_default_context(cafile=None if ca is None else str(ca))
        self._any = ssl.create_default_context()
        self._any.check_hostname = False
        self._any.verify_mode = ssl.CERT_NONE

    def greet(self, door: Door, domain: str) -> Tls | None:
        """Connects and checks the certificate against `domain`. None at a door without TLS.

        Raises Unanswered, of kind "certificate" where the certificate is not believed.
        """
        with _bounded(), self._connection(door, domain, self._believing) as connection:
            if not isinstance(connection, ssl.SSLSocket):
                return None
            certificate = connection.getpeercert() or {}
            until = certificate.get("notAfter")
            not_after = ssl.cert_time_to_seconds(until) if isinstance(until, str) else None
            return Tls(connection.version() or "unknown", not_after)

    def certificate(self, door: Door, domain: str, only: ssl.TLSVersion | None = None) -> bytes:
        """The certificate (DER) that is shown for `domain`, whatever it is; by no other version than `only`, if given.

        Raises Unanswered, and ValueError where this machine cannot speak that version.
        """
        with _bounded(), self._connection(door, domain, _speaking(only) if only else self._any) as connection:
            if not isinstance(connection, ssl.SSLSocket):
                raise ValueError("no TLS is spoken there")
            return connection.getpeercert(binary_form=True) or b""

    def ask(
        self,
        door: Door,
        domain: str,
        target: str,
        *,
        host: str | None = None,
        accept: str = "*/*",
        version: str = "1.1",
        believe: bool = True,
    ) -> Answer:
        """The answer to GET `target`. Raises Unanswered.

        `domain` is the name in TLS (SNI) and in the Host header, where `host` is not given. Without `believe` any
        certificate is accepted.
        """
        standard = door.port == (443 if door.tls else 80)
        authority = host or (domain if standard else f"{domain}:{door.port}")
        lines = [f"GET {target} HTTP/{version}", f"Host: {authority}", f"User-Agent: {_AGENT}", f"Accept: {accept}"]
        request = "\r\n".join([*lines, "Connection: close", "", ""]).encode("ascii")
        started = time.monotonic()
        context = self._believing if believe else self._any
        with _bounded(), self._connection(door, domain, context) as connection:
            try:
                connection.sendall(request)
                with http.client.HTTPResponse(connection, method="GET") as answer:
                    answer.begin()
                    body = answer.read(_MOST_BYTES)
                    if answer.length and len(body) < _MOST_BYTES:
                        raise http.client.IncompleteRead(body, answer.length)
                    headers = {name.lower(): value for name, value in reversed(answer.getheaders())}
                    cookies = tuple(answer.msg.get_all("Set-Cookie", []))
                    return Answer(answer.status, headers, body, time.monotonic() - started, cookies)
            except TimeoutError:
                raise Unanswered("slow", f"no whole answer within {WHOLE} s") from None
            except OSError:
                raise Unanswered("closed", "the connection was closed without an answer") from None
            except http.client.IncompleteRead:
                raise Unanswered("closed", "the connection was closed within the answer") from None
            except (http.client.HTTPException, ValueError):
                raise Unanswered("garbled", "the answer is not HTTP") from None

    @contextlib.contextmanager
    def _connection(self, door: Door, name: str, context: ssl.SSLContext) -> Iterator[socket.socket]:
        try:
            plain = socket.create_connection((door.address, door.port), timeout=CONNECT)
        except ConnectionRefusedError:
            raise Unanswered("refused", "nothing listens there (connection refused)") from None
        except TimeoutError:
            raise Unanswered("unreachable", f"no connection within {CONNECT} s") from None
        except OSError as error:
            raise Unanswered("unreachable", f"cannot be reached: {error.strerror or error}") from None
        plain.settimeout(WHOLE)
        with plain:
            if not door.tls:
                yield plain
                return
            try:
                secure = context.wrap_socket(plain, server_hostname=name)
            except ssl.SSLCertVerificationError as error:
                raise Unanswered("certificate", error.verify_message.rstrip("."), error.verify_code) from None
            except TimeoutError:
                raise Unanswered("slow", f"no TLS handshake within {WHOLE} s") from None
            except ssl.SSLError as error:
                if error.reason in _CANNOT:
                    raise ValueError("this machine does not speak that version of TLS") from None
                if error.reason in _OUTDATED:
                    raise Unanswered("outdated", "speaks neither TLS 1.2 nor 1.3") from None
                reason = (error.reason or "closed").replace("_", " ").lower()
                raise Unanswered("handshake", f"the TLS handshake failed ({reason})") from None
            except OSError:
                raise Unanswered("handshake", "the TLS handshake failed (the connection was closed)") from None
            with secure:
                yield secure


@functools.cache
def _speaking(version: ssl.TLSVersion) -> ssl.SSLContext:
    """For a handshake by this version alone, with any certificate. Raises ValueError where this machine has it not."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with warnings.catch_warnings():
        # that TLS 1.0 and 1.1 are obsolete is what is looked for
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = context.maximum_version = version
    with contextlib.suppress(ssl.SSLError):
        # else OpenSSL refuses the old protocols itself; where its own settings forbid this, it goes on refusing
        context.set_ciphers("DEFAULT:@SECLEVEL=0")
    return context


@contextlib.contextmanager
def _bounded() -> Iterator[None]:
    """Ends what takes longer than WHOLE seconds: a server could send a byte now and then for ever."""
    limit = gevent.Timeout(WHOLE)
    try:
        with limit:
            yield
    except gevent.Timeout as expired:
        if expired is not limit:
            raise
        raise Unanswered("slow", f"no whole answer within {WHOLE} s") from None


def own_address(door: Door) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """The address that this machine would connect from, None where there is no way there. Nothing is sent."""
    family = socket.AF_INET6 if ":" in door.address else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as way:
            way.connect((door.address, door.port))
            return ipaddress.ip_address(str(way.getsockname()[0]).partition("%")[0])
    except (OSError, ValueError):
        return None
