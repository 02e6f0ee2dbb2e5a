"""A certificate and its key: what is taken, what is mended on the way out, and what is refused and why."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID

from gateway.certificates import chain, judging, keys, names, pem

from .pki import LOWER, MIDDLE, ROOT, Issued, assert_no_key, issue, issue_rsa_pss, rsa_key, with_old_signature

DOMAIN = "wx.a.edu.cn"
NOW = datetime.now(UTC)
LEAF = issue(DOMAIN, MIDDLE)
PUBLIC = issue(DOMAIN, LOWER, public=True)
RSA = rsa_key(2048)

# An authority whose certificate was renewed twice, each time for the same key.
TWIN = issue("Twin", ROOT, ca=True)
EXPIRED_TWIN = issue("Twin", ROOT, ca=True, key=TWIN.key, end=timedelta(days=-1, hours=1))
FUTURE_TWIN = issue("Twin", ROOT, ca=True, key=TWIN.key, start=timedelta(days=5), end=timedelta(days=900))
LEAF_OF_TWIN = issue(DOMAIN, TWIN)


@pytest.fixture(autouse=True)
def trusted_root(tmp_path, monkeypatch):
    """This machine trusts ROOT, and a damaged one that must not spoil the store."""
    store = tmp_path / "ca-certificates.crt"
    damaged = b"-----BEGIN CERTIFICATE-----\nMAAA\n-----END CERTIFICATE-----\n"
    store.write_bytes(damaged + issue("Other Root", ca=True).pem + ROOT.pem)
    monkeypatch.setenv("SSL_CERT_FILE", str(store))


def _judge(*chain: Issued, key: bytes | None = None, domain: str = DOMAIN, **how) -> judging.Verdict:
    now = datetime.now(UTC)  # what openssl issues is valid from the moment it does
    verdict = judging.judge(domain, b"".join(one.pem for one in chain), key or chain[0].key_pem, now, **how)
    assert_no_key(repr(verdict), *chain)
    return verdict


def _sent(verdict: judging.Verdict) -> list[str]:
    return [names.title(one.subject) for one in pem.load_certificates(verdict.pair.chain)]


def test_a_complete_chain_goes_out_as_it_is():
    verdict = _judge(LEAF, MIDDLE)
    assert (verdict.errors, verdict.warnings) == ((), ())
    assert (verdict.pair.chain, verdict.pair.key) == (LEAF.pem + MIDDLE.pem, LEAF.key_pem)
    assert verdict.pair.days_left(NOW) == 60


@pytest.mark.parametrize("order", [(LOWER, PUBLIC, MIDDLE), (MIDDLE, LOWER, PUBLIC), (PUBLIC, MIDDLE, LOWER)])
def test_a_chain_out_of_order_goes_out_in_order_with_a_notice(order):
    verdict = _judge(*order, key=PUBLIC.key_pem)
    assert verdict.pair.chain == PUBLIC.pem + LOWER.pem + MIDDLE.pem
    (notice,) = verdict.warnings
    assert notice.startswith("fullchain.pem is not in order")


def test_what_is_of_another_chain_stays_out_with_a_notice():
    stranger = issue("Stranger", ca=True)
    verdict = _judge(LEAF, stranger, MIDDLE)
    assert verdict.pair.chain == LEAF.pem + MIDDLE.pem
    assert any('sent out: "Stranger"' in text for text in verdict.warnings)


def test_a_look_alike_of_the_issuer_is_not_taken_for_it():
    forged = issue("Test Intermediate", ca=True)
    assert _sent(_judge(LEAF, forged, MIDDLE)) == [DOMAIN, "Test Intermediate"]
    assert _judge(LEAF, forged, MIDDLE).pair.chain == LEAF.pem + MIDDLE.pem


@pytest.mark.parametrize("twins", list(permutations([EXPIRED_TWIN, TWIN, FUTURE_TWIN])))
def test_of_an_authoritys_certificates_the_one_that_is_valid_goes_out(twins):
    verdict = _judge(LEAF_OF_TWIN, *twins)
    assert verdict.errors == ()
    assert verdict.pair.chain == LEAF_OF_TWIN.pem + TWIN.pem
    (notice,) = verdict.warnings
    assert 'not needed and not sent out: "Twin", "Twin"; take it out' in notice


@pytest.mark.parametrize("days", [(100, 200), (200, 100)])
def test_of_two_valid_certificates_of_an_authority_the_longer_valid_goes_out(days):
    twins = [issue("Twin", ROOT, ca=True, key=TWIN.key, end=timedelta(days=one)) for one in days]
    longer = max(twins, key=lambda one: one.certificate.not_valid_after_utc)
    assert _judge(LEAF_OF_TWIN, *twins).pair.chain == LEAF_OF_TWIN.pem + longer.pem


def test_editors_marks_do_not_matter():
    chain = b"\xef\xbb\xbf" + (LEAF.pem + b"subject=x\n\n" + MIDDLE.pem).replace(b"\n", b"\r\n")
    verdict = judging.judge(DOMAIN, chain, b"\xef\xbb\xbf" + LEAF.key_pem.replace(b"\n", b"\r\n"), NOW)
    assert (verdict.pair.chain, verdict.pair.key) == (LEAF.pem + MIDDLE.pem, LEAF.key_pem)


def test_a_key_in_the_chain_file_is_never_sent_out():
    verdict = judging.judge(DOMAIN, LEAF.pem + LEAF.key_pem + MIDDLE.pem, LEAF.key_pem, NOW)
    assert b"PRIVATE" not in verdict.pair.chain
    assert "fullchain.pem holds a private key" in verdict.warnings[0]


def test_a_public_authoritys_leaf_alone_lacks_its_intermediate():
    verdict = _judge(PUBLIC)
    assert verdict.pair is None
    assert 'the intermediate certificate "Test Issuing" is missing' in verdict.errors[0]


def test_a_private_authoritys_leaf_alone_is_a_warning():
    verdict = _judge(issue(DOMAIN, issue("School CA", ca=True)))
    assert verdict.pair
    assert 'the chain ends at "School CA"' in verdict.warnings[0]


def test_a_leaf_of_a_trusted_root_is_complete():
    assert _judge(issue(DOMAIN, ROOT)).warnings == ()


def test_a_chain_that_ends_too_early_is_a_warning():
    (warning,) = _judge(PUBLIC, LOWER).warnings
    assert 'the chain ends at "Test Intermediate"' in warning


@pytest.mark.parametrize("store", ["missing", "empty"])
def test_without_a_trust_store_no_chain_is_doubted(tmp_path, monkeypatch, store):
    path = tmp_path / store
    if store == "empty":
        path.touch()
    monkeypatch.setattr("ssl.get_default_verify_paths", lambda: type("Paths", (), {"cafile": str(path)}))
    assert _judge(LEAF, MIDDLE).warnings == ()
    assert "no trust store" in _judge(LEAF).warnings[0]


def test_a_self_signed_certificate_is_a_warning():
    assert "signed by itself" in _judge(issue(DOMAIN)).warnings[0]


@pytest.mark.parametrize(
    ("leaf", "reason"),
    [
        (issue(DOMAIN, MIDDLE, end=timedelta(hours=-1)), "expired on"),
        (issue(DOMAIN, MIDDLE, start=timedelta(hours=1)), "is not valid before"),
        (issue("wx.b.edu.cn", MIDDLE), "is for wx.b.edu.cn, not for wx.a.edu.cn"),
        (issue(DOMAIN, MIDDLE, names=[]), "no DNS name"),
        (issue(DOMAIN, MIDDLE, key=rsa_key(1024)), "has 1024 bits; at least 2048"),
        (issue(DOMAIN, MIDDLE, key=ec.generate_private_key(ec.SECP521R1())), "curve secp521r1"),
        (issue(DOMAIN, MIDDLE, key=ed25519.Ed25519PrivateKey.generate()), "neither an RSA nor an EC key"),
        (issue_rsa_pss(DOMAIN, MIDDLE), "is of a kind (RSA-PSS) that browsers do not take"),
        (issue(DOMAIN, MIDDLE, usage=ExtendedKeyUsageOID.EMAIL_PROTECTION), "is not for servers"),
    ],
)
def test_a_pair_that_would_not_work_is_refused(leaf, reason):
    verdict = _judge(leaf, MIDDLE)
    assert verdict.pair is None
    assert len(verdict.errors) == 1
    assert reason in verdict.errors[0]


@pytest.mark.parametrize(("number", "name"), [(5, "SHA1"), (4, "MD5")])
def test_old_signatures_are_refused(number, name):
    leaf = issue(DOMAIN, issue("RSA CA", ca=True, key=RSA))
    assert f"is signed with {name}" in _judge(with_old_signature(leaf, number)).errors[0]


@pytest.mark.parametrize("number", [5, 16])
def test_an_old_or_odd_signature_is_the_only_thing_wrong(number):
    """SHA-1 and SHA-512/256: the library verifies neither."""
    authority = issue("RSA CA", ROOT, ca=True, key=RSA)
    verdict = _judge(with_old_signature(issue(DOMAIN, authority, public=True), number), authority)
    (error,) = verdict.errors
    assert f'"{DOMAIN}" is signed' in error
    assert verdict.warnings == ()


def test_a_look_alike_of_the_issuer_is_told_from_it_where_the_signature_is_old():
    authority = issue("RSA CA", ca=True, key=RSA)
    leaf = with_old_signature(issue(DOMAIN, authority)).certificate
    forged = issue("RSA CA", ca=True).certificate
    assert chain.chain_from(leaf, [forged, authority.certificate], NOW) == [leaf, authority.certificate]
    assert chain.chain_from(leaf, [forged], NOW) == [leaf]


def test_an_authoritys_certificate_with_an_old_signature_gives_way_to_a_newer_one():
    root = issue("RSA Root", ca=True, key=RSA)
    new = issue("Authority", root, ca=True)
    old = with_old_signature(issue("Authority", root, ca=True, key=new.key, end=timedelta(days=900)))
    leaf = issue(DOMAIN, new)
    assert _judge(leaf, old, new).pair.chain == leaf.pem + new.pem


def test_a_roots_own_signature_may_be_old():
    root = issue("Old Root", ca=True, key=RSA)
    assert _judge(issue(DOMAIN, root), with_old_signature(root)).pair


def test_names_of_a_kind_that_no_browser_knows_are_not_read():
    """An X.400 address (RFC 5280, 4.2.1.6) in the place of the DNS name."""
    name = DOMAIN.encode()
    odd = x509.load_der_x509_certificate(LEAF.der.replace(b"\x82\x0b" + name, b"\xa3\x0b" + name))
    assert "no DNS name" in _judge(Issued(odd, LEAF.key), MIDDLE).errors[0]


def test_every_fault_is_told_at_once():
    leaf = issue("wx.b.edu.cn", LOWER, end=timedelta(hours=-1), public=True)
    verdict = _judge(leaf, key=LEAF.key_pem)
    assert len(verdict.errors) == 4
    told = "\n".join(verdict.errors)
    for part in ("is not the key of", "is for wx.b.edu.cn", "expired on", "is missing"):
        assert part in told


def test_an_expired_intermediate_is_refused_by_name():
    old = issue("Old Intermediate", ROOT, ca=True, end=timedelta(days=-1))
    (error,) = _judge(issue(DOMAIN, old), old).errors
    assert error.startswith('the intermediate "Old Intermediate": expired on')


def test_an_expired_certificate_can_be_allowed():
    verdict = _judge(issue(DOMAIN, MIDDLE, end=timedelta(hours=-1)), MIDDLE, allow_expired=True)
    assert verdict.pair
    assert "expired on" in verdict.warnings[0]


@pytest.mark.parametrize(("days", "warned"), [(22, False), (20, True)])
def test_an_expiring_certificate_is_a_warning(days, warned):
    verdict = _judge(issue(DOMAIN, MIDDLE, end=timedelta(days=days, minutes=1)), MIDDLE)
    assert any(f"expires in {days} days" in text for text in verdict.warnings) == warned


@pytest.mark.parametrize("key", [RSA, ec.generate_private_key(ec.SECP384R1())])
@pytest.mark.parametrize("form", [PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL])
def test_a_protected_key_opens_with_its_passphrase_and_goes_out_without(key, form):
    leaf = issue(DOMAIN, MIDDLE, key=key)
    locked = leaf.key_as(form=form, passphrase=b"se cret")
    assert _judge(leaf, MIDDLE, key=locked, passphrase=b"se cret").pair.key == leaf.key_pem
    for passphrase, reason in ((None, "GATEWAY_KEY_PASSPHRASE of this command"), (b"wrong", "does not open")):
        verdict = _judge(leaf, MIDDLE, key=locked, passphrase=passphrase)
        assert reason in verdict.errors[0]
        assert "se cret" not in repr(verdict)


def test_a_passphrase_for_other_keys_does_no_harm():
    assert _judge(LEAF, MIDDLE, passphrase=b"for another").pair


@pytest.mark.parametrize(
    ("chain", "key", "reason"),
    [
        (b"", LEAF.key_pem, "no readable PEM certificate"),
        (LEAF.key_pem, LEAF.key_pem, "no readable PEM certificate"),
        (LEAF.der, LEAF.key_pem, "no readable PEM certificate"),
        (LEAF.pem.replace(b"\nM", b"\nN", 1), LEAF.key_pem, "damaged certificate"),
        (LEAF.pem, b"", "no readable PEM private key"),
        (LEAF.pem, LEAF.key_as(Encoding.DER), "no readable PEM private key"),
        (LEAF.pem, LEAF.key_pem.replace(b"\nM", b"\nN", 1), "no readable PEM private key"),
        (LEAF.pem, LEAF.key_pem + MIDDLE.key_pem, "holds 2 private keys"),
    ],
)
def test_unreadable_files_are_told_without_quoting_them(chain, key, reason):
    verdict = judging.judge(DOMAIN, chain, key, NOW)
    assert verdict.pair is None
    assert any(reason in text for text in verdict.errors)
    assert_no_key(repr(verdict), LEAF)


@pytest.mark.parametrize(("domain", "covered"), [(DOMAIN, True), ("a.edu.cn", False), ("b.wx.a.edu.cn", False)])
def test_a_wildcard_covers_one_label(domain, covered):
    assert bool(_judge(issue("*.a.edu.cn", MIDDLE), MIDDLE, domain=domain).pair) == covered


def test_an_rsa_key_whose_numbers_do_not_belong_together_is_refused():
    key = rsa.generate_private_key(65537, 2048)
    der = key.private_bytes(Encoding.DER, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    modulus = key.public_key().public_numbers().n.to_bytes(256, "big")
    wrong = der.replace(modulus, modulus[:100] + bytes([modulus[100] ^ 1]) + modulus[101:])
    body = base64.encodebytes(wrong).decode()
    pem_file = f"-----BEGIN RSA PRIVATE KEY-----\n{body}-----END RSA PRIVATE KEY-----\n".encode()
    with pytest.raises(ValueError, match="no readable PEM private key"):
        keys.load_key(pem_file)
