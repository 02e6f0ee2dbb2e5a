"""Authorities that several roots vouch for: which of their certificates goes out, and when a chain is complete."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import permutations
from pathlib import Path

import pytest

from gateway.certificates import importing, judging, pem

from .pki import Issued, issue

DOMAIN = "wx.a.edu.cn"
KNOWN = issue("Known Root", ca=True)
UNKNOWN = issue("Unknown Root", ca=True)
# One authority with a certificate of its own and one of each other root's.
OWN = issue("Shared", ca=True)
BY_KNOWN = issue("Shared", KNOWN, ca=True, key=OWN.key)
BY_UNKNOWN = issue("Shared", UNKNOWN, ca=True, key=OWN.key, end=timedelta(days=900))
BETWEEN = issue("Between", KNOWN, ca=True)
BY_BETWEEN = issue("Shared", BETWEEN, ca=True, key=OWN.key)
MIDDLE = issue("Middle", OWN, ca=True)
LEAF = issue(DOMAIN, MIDDLE, public=True)


@pytest.fixture
def trust(tmp_path, monkeypatch) -> Callable[..., None]:
    """Makes some roots those that this machine trusts."""

    def put(*roots: Issued) -> None:
        store = tmp_path / "ca-certificates.crt"
        store.write_bytes(b"".join(one.pem for one in roots))
        monkeypatch.setenv("SSL_CERT_FILE", str(store))

    return put


def _judge(*above: Issued) -> tuple[list[bytes], tuple[str, ...]]:
    """What goes out after the leaf, and the warnings."""
    chain = b"".join(one.pem for one in (LEAF, *above))
    verdict = judging.judge(DOMAIN, chain, LEAF.key_pem, datetime.now(UTC))
    assert verdict.errors == ()
    leaf, *sent = pem.load_certificates(verdict.pair.chain)
    assert leaf == LEAF.certificate
    return [pem.as_pem([one]) for one in sent], verdict.warnings


def test_a_chain_that_goes_on_above_what_this_machine_trusts_is_complete_and_stays(trust):
    """Phones that are older than this machine's trust store may know the other root alone."""
    trust(OWN)
    assert _judge(MIDDLE, BY_UNKNOWN) == ([MIDDLE.pem, BY_UNKNOWN.pem], ())
    assert _judge(MIDDLE, BY_UNKNOWN, UNKNOWN) == ([MIDDLE.pem, BY_UNKNOWN.pem, UNKNOWN.pem], ())


def test_a_chain_that_reaches_no_trusted_root_is_told(trust):
    trust(KNOWN)
    sent, (warning,) = _judge(MIDDLE, BY_UNKNOWN)
    assert sent == [MIDDLE.pem, BY_UNKNOWN.pem]
    assert 'the chain ends at "Unknown Root"' in warning


@pytest.mark.parametrize(
    ("roots", "way", "others"),
    [
        ([KNOWN], [BY_KNOWN], [BY_UNKNOWN]),
        ([KNOWN], [BY_KNOWN], [BY_UNKNOWN, UNKNOWN]),
        ([KNOWN], [BY_BETWEEN, BETWEEN], [BY_UNKNOWN]),
        ([KNOWN], [BY_KNOWN], [OWN]),
        ([OWN], [OWN], [BY_UNKNOWN]),
        # who trusts either root can use it
        ([KNOWN, OWN], [BY_KNOWN], [OWN]),
    ],
)
def test_of_two_ways_up_the_one_to_a_trusted_root_goes_out(trust, roots, way, others):
    trust(*roots)
    for order in permutations([MIDDLE, *way, *others]):
        sent, warnings = _judge(*order)
        assert sent == [one.pem for one in (MIDDLE, *way)]
        assert any("not needed and not sent out" in text for text in warnings)
        assert not any("the chain ends at" in text for text in warnings)


def test_a_way_that_has_expired_leads_nowhere(trust):
    trust(KNOWN)
    between = issue("Between", KNOWN, ca=True, key=BETWEEN.key, end=timedelta(hours=-1))
    sent, _ = _judge(MIDDLE, BY_BETWEEN, between, BY_UNKNOWN)
    assert sent == [MIDDLE.pem, BY_UNKNOWN.pem]


def test_what_has_expired_above_a_trusted_roots_own_is_left_out(trust):
    trust(OWN)
    expired = issue("Shared", UNKNOWN, ca=True, key=OWN.key, end=timedelta(hours=-1))
    sent, (notice,) = _judge(MIDDLE, expired)
    assert sent == [MIDDLE.pem]
    assert 'not needed and not sent out: "Shared"' in notice


def test_an_import_leaves_the_other_way_up_out_and_says_so(trust, tmp_path):
    trust(KNOWN)
    given = {"a.pem": LEAF.pem + LEAF.key_pem + MIDDLE.pem, "other.crt": BY_UNKNOWN.pem, "known.crt": BY_KNOWN.pem}
    for name, body in given.items():
        (tmp_path / name).write_bytes(body)
    picked = importing.pick(DOMAIN, [tmp_path / name for name in given], None, datetime.now(UTC))
    assert picked.pair.chain == LEAF.pem + MIDDLE.pem + BY_KNOWN.pem
    assert [(Path(source).name, why) for source, why in picked.ignored] == [
        ("other.crt", "another certificate of this chain's authorities, which is not needed")
    ]
    assert picked.warnings == ()
