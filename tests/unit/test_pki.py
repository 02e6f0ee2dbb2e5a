"""What other tests rely on to say that no key is shown."""

from __future__ import annotations

from base64 import b64encode

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from .pki import Issued, assert_no_key, issue, rsa_key

EC = issue("wx.a.edu.cn")
RSA = Issued(EC.certificate, rsa_key(2048))


@pytest.mark.parametrize("holder", [EC, RSA], ids=["ec", "rsa"])
@pytest.mark.parametrize("before", range(3))
def test_a_public_key_is_no_secret_wherever_it_stands(holder, before):
    """Base64 of the same bytes differs by what stands before them, in three ways."""
    public = holder.key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert_no_key(b64encode(b"." * before + public).decode(), holder)


@pytest.mark.parametrize(("holder", "number"), [(EC, 0), (EC, 1), (RSA, 0), (RSA, 9)])
def test_a_line_of_a_key_is_noticed(holder, number):
    """Of an RSA key's file the first third is public, but for its beginning."""
    line = holder.key_pem.decode().splitlines()[1:-1][number]
    with pytest.raises(AssertionError):
        assert_no_key(f"the file says {line}", holder)
