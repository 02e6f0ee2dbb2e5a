"""TLS as sslyze and testssl.sh see it, against a gateway that terminates it."""

from __future__ import annotations

import json

import pytest

from gateway.nginx import tls_profile
from lab import topology
from lab.containers import exec_in

from ..lab.checkout import on_host
from .conftest import DOMAIN

# Mozilla's guideline 6.0, "intermediate", as sslyze reads a guideline. sslyze itself carries 5.7, which still
# allows DHE.
GUIDELINE = {
    "certificate_curves": ["prime256v1", "secp384r1"],
    "certificate_signatures": [
        "sha256WithRSAEncryption",
        "ecdsa-with-SHA256",
        "ecdsa-with-SHA384",
        "ecdsa-with-SHA512",
    ],
    "certificate_types": ["ecdsa", "rsa"],
    "ciphers": {
        "caddy": [],
        "go": [],
        "iana": [
            "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
            "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
            "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
            "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
            "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
            "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
        ],
        "openssl": list(tls_profile.CIPHERS),
    },
    "ciphersuites": ["TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"],
    "dh_param_size": 2048,
    "ecdh_param_size": 256,
    "hsts_min_age": 63072000,
    "maximum_certificate_lifespan": 366,
    "ocsp_staple": True,
    "recommended_certificate_lifespan": 90,
    "rsa_key_size": 2048,
    "server_preferred_order": False,
    "tls_curves": ["X25519", "prime256v1", "secp384r1"],
    "tls_versions": ["TLSv1.2", "TLSv1.3"],
}

# What testssl.sh says about the lab's certificate and name, not about the server.
EXEMPT = {
    "cert_revocation": "the lab's CA runs neither CRL nor OCSP",
    "DNS_CAArecord": "the lab's names are in no public DNS",
}
BAD = ("MEDIUM", "HIGH", "CRITICAL", "FATAL")
# One of each kind of check, by which it is seen that all of them ran.
RAN = ("TLS1_2", "cipherlist_NULL", "FS", "ALPN_HTTP2", "heartbleed", "ROBOT", "LOGJAM", "RC4")


@pytest.mark.parametrize("profile", ["5.7", "6.0"])
@pytest.mark.parametrize("port", [443, 9001])
def test_sslyze_finds_mozillas_intermediate_guideline_kept(tool, gateway, tmp_path, port, profile):
    """A protocol, cipher or curve offered beside the guideline; 5.7 as sslyze has it, 6.0 as the product says."""
    own = tmp_path / "guideline.json"
    own.write_text(json.dumps(GUIDELINE))
    kept = ["--mozilla_config=intermediate"] if profile == "5.7" else [f"--custom_tls_config={own}"]
    trust = ["--certinfo_ca_file", str(topology.CA)]
    done = tool("sslyze", *kept, *trust, "--sni", DOMAIN, f"{gateway}:{port}")
    verdict = done.stdout.partition("COMPLIANCE AGAINST TLS CONFIGURATION")[2]
    assert "OK - Compliant" in verdict, verdict or done.stdout + done.stderr
    assert done.returncode == 0


def test_sslyze_sees_what_is_not_allowed(tool, gateway, tmp_path):
    """Guards the test above against a judge that calls everything compliant."""
    narrow = tmp_path / "narrow.json"
    narrow.write_text(json.dumps({**GUIDELINE, "tls_versions": ["TLSv1.3"], "tls_curves": ["X25519"]}))
    trust = ["--certinfo_ca_file", str(topology.CA)]
    done = tool("sslyze", f"--custom_tls_config={narrow}", *trust, "--sni", DOMAIN, f"{gateway}:443")
    assert "tls_versions" in done.stdout
    assert "tls_curves" in done.stdout
    assert done.returncode == 1


def test_testssl_finds_nothing_of_medium_severity(gateway, scanner):
    """Old protocols, weak ciphers and every attack that has a name, tried by someone else's code."""
    on_host(scanner, f"echo '{gateway} {DOMAIN}' >>/etc/hosts")
    scan = (
        "timeout 880 testssl --quiet --color 0 --warnings off --jsonfile /root/findings.json"
        f" --add-ca /usr/local/share/ca-certificates/wecom-lab.crt --ip {gateway}"
        " --protocols --std --fs --server-preference --server-defaults --vulnerable"
    )
    # Up to 49 it counts results that it calls ambiguous; what they are is in the findings.
    said = exec_in(scanner, ["bash", "-c", f"{scan} {DOMAIN}:443 || [ $? -lt 50 ]"], timeout=900)
    findings = json.loads(on_host(scanner, "cat /root/findings.json"))
    ids = {finding["id"] for finding in findings}
    assert ids >= set(RAN), said
    bad = [finding for finding in findings if finding["severity"] in BAD and finding["id"] not in EXEMPT]
    assert not bad, bad
