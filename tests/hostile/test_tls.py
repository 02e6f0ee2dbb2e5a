"""TLS as an attacker would like it: renegotiated at will, or older than its weaknesses."""

from __future__ import annotations

import contextlib
import re
import subprocess

import pytest

from lab.topology import CA

from .edges import Edge


def _s_client(edge: Edge, *options: str, typed: bytes = b"Q\n", port: int = 443) -> str:
    """What `openssl s_client` says until it leaves; `typed` is one line, a command if it starts with its letter."""
    domain = edge.domain("card")
    command = ["openssl", "s_client", "-connect", f"{edge.address}:{port}", "-servername", domain, "-CAfile", str(CA)]
    with subprocess.Popen(
        [*command, *options], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as process:
        assert process.stdin
        # The pipe stays open: at its end it would leave before the server has spoken.
        with contextlib.suppress(BrokenPipeError):
            process.stdin.write(typed)
            process.stdin.flush()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(5)
        process.kill()
        told, _ = process.communicate()
    return told.decode("latin-1")


@pytest.fixture
def tls(attacked: None) -> Edge:
    return Edge("tls")


@pytest.mark.parametrize("port", [443, 9001])
def test_nobody_renegotiates(tls: Edge, port):
    """Each renegotiation costs the server ten times what it costs the client, and its past was an attack by itself."""
    told = _s_client(tls, "-tls1_2", typed=b"R\n", port=port)
    assert "Verify return code: 0 (ok)" in told
    assert "RENEGOTIATING" in told, told
    after = told.partition("RENEGOTIATING")[2]
    assert re.search(r"no renegotiation|unexpected eof|errno|closed", after), after


@pytest.mark.parametrize("port", [443, 9001])
@pytest.mark.parametrize("version", ["-tls1", "-tls1_1"])
def test_old_versions_are_refused(tls: Edge, version, port):
    """A client that is allowed to ask for an old version can be made to."""
    told = _s_client(tls, version, "-cipher", "ALL:@SECLEVEL=0", port=port)
    assert re.search(r"alert protocol version|alert handshake failure", told), told
    assert re.search(r"Cipher is \(NONE\)", told), told


@pytest.mark.parametrize(
    "cipher", ["aNULL:eNULL", "RC4:3DES", "AES128-SHA:AES256-GCM-SHA384", "ECDHE-RSA-AES128-SHA:ECDHE-ECDSA-AES128-SHA"]
)
def test_weak_ciphers_are_refused(tls: Edge, cipher):
    """No secrecy, or one that ends with the key."""
    told = _s_client(tls, "-tls1_2", "-cipher", f"{cipher}:@SECLEVEL=0")
    if "no cipher match" in told or "no ciphers available" in told:
        pytest.skip("this openssl has none of these")
    assert re.search(r"alert handshake failure", told), told


def test_compression_is_off(tls: Edge):
    """Compressed secrets leak their length."""
    assert "Compression: NONE" in _s_client(tls, "-tls1_2", "-comp")
