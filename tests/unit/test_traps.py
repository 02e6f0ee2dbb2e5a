"""What an inventory says where nobody reads it, or twice, or against itself; and files in the wrong place."""

from __future__ import annotations

import os
import shutil

import pytest
from click.testing import CliRunner

from gateway.cli.main import main
from gateway.fleet.loading import InventoryError, load

from .conftest import REPO, make_pair

SITE = '{"domain": "wx.a.edu.cn", "edge": "slb"}'
HOST = f'wanxiao_prod = [("h1", {{"sites": [{SITE}]}})]\n'
KEYS = {
    "slb_cidrs": ["10.0.0.0/24"],
    "hsts": 300,
    "max_body": "80m",
    "rate_limit": {"requests_per_second": 5},
    "cert": "files",
    "bk": {},
    "wecom": {"flag": "x"},
    "edge": "slb",
    "domain": "wx.a.edu.cn",
}


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    """A checkout of one's own, with the shipped platforms: loads an inventory and tells what is found in it."""
    shutil.copytree(REPO / "group_data", tmp_path / "group_data")
    (tmp_path / "inventory").mkdir()
    (tmp_path / "files" / "verify").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)

    def check(text, severity="error", **options):
        # pyinfra keeps compiled inventories by name for the length of a process
        path = tmp_path / "inventory" / f"i{os.urandom(6).hex()}.py"
        path.write_text(text)
        fleet = load(f"inventory/{path.name}", **options)
        told = [
            str(one).replace(path.name, "i.py")
            for one in fleet.problems
            if one.severity == severity and one.field != "verify"
        ]
        return sorted(told)

    check.path = tmp_path
    return check


@pytest.mark.parametrize("key", KEYS)
def test_a_sites_key_beside_sites_is_an_error(checkout, key):
    text = f'wanxiao_prod = [("h1", {{"sites": [{SITE}], "{key}": {KEYS[key]!r}}})]\n'
    (problem,) = checkout(text)
    assert problem.startswith(f'h1: {key}: is a site\'s key, and nobody reads it beside "sites"; write it into each')
    assert f'"{key}": ...}}]' in problem


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("group", ["wanxiao_prod", "all"])
def test_a_sites_key_in_group_data_is_an_error_told_once(checkout, key, group):
    with (checkout.path / "group_data" / f"{group}.py").open("a") as file:
        file.write(f"\n{key} = {KEYS[key]!r}\n")
    two = f'wanxiao_prod = [("h1", {{"sites": [{SITE}]}}), ("h2", {{"sites": [{SITE}]}})]\n'
    (problem,) = checkout(two)
    assert problem.startswith(f"{key}: is a site's key")
    assert f"group_data/{group}.py" in problem
    assert checkout(two.replace("wanxiao_prod", "wanxiao_test"), limit=["h1"]) == ([problem] if group == "all" else [])


def test_a_groups_data_in_the_inventory_counts(checkout):
    (problem,) = checkout(f'wanxiao_prod = ([("h1", {{"sites": [{SITE}]}})], {{"hsts": 300}})\n')
    assert problem.startswith("hsts: is a site's key")


def test_a_host_without_sites_is_told_where_its_keys_belong(checkout):
    told = checkout(f'wanxiao_prod = [("h1", {SITE})]\n')
    assert [text.split(": ")[1] for text in told] == ["domain", "edge", "sites"]


def test_platform_may_stand_beside_sites_and_in_group_data(checkout):
    assert checkout(HOST.replace('{"sites"', '{"platform": "wanxiao_test", "sites"')) == []
    assert checkout(HOST, "warning") == []


def test_a_slip_in_a_sites_key_beside_sites_is_a_warning(checkout):
    told = checkout(HOST.replace('{"sites"', '{"slb_cidr": [], "rack": 5, "sites"'), "warning")
    assert told == ['h1: slb_cidr: is read by nobody; did you mean "slb_cidrs", which belongs into each site\'s dict?']


def test_a_platforms_key_beside_sites_is_a_warning_and_a_variable_of_the_platforms_file_is_none(checkout):
    with (checkout.path / "group_data" / "all.py").open("a") as file:
        file.write("\nread_timeout = 90\n")
    assert checkout(HOST, "warning") == []
    (problem,) = checkout(HOST.replace('{"sites"', '{"read_timeout": 9, "sites"'), "warning")
    assert problem.startswith("h1: read_timeout: is a platform's key")


TWO_NODES = f"""
wanxiao_prod = [("h1", {{"sites": [{SITE}]}})]
wanxiao_test = [("h2", {{"sites": [{SITE}]}})]
"""


def test_one_domain_with_two_platforms_is_an_error(checkout):
    (problem,) = checkout(TWO_NODES)
    assert problem == (
        'h2: wx.a.edu.cn: platform: is "wanxiao_test" here and "wanxiao_prod" on h1, and a visitor reaches one or the '
        "other; write the same in both, or take the site off one of them"
    )
    # whatever else is wrong there
    assert problem in checkout(TWO_NODES.replace('"edge": "slb"', '"edge": "slb", "hsts": "1"'))
    assert checkout(TWO_NODES, limit=["h2"]) == []


def test_two_nodes_of_one_platform_are_fine(checkout):
    assert (
        checkout(
            TWO_NODES.replace("wanxiao_test =", "more =").replace('("h2", {', '("h2", {"platform": "wanxiao_prod", ')
        )
        == []
    )


def test_files_that_others_can_read_are_warned_of_without_a_word_of_their_content(checkout, monkeypatch, tmp_path):
    _, key = _store_pair(checkout.path, "wx.a.edu.cn")
    (checkout.path / "files/certs/wx.a.edu.cn/privkey.pem").chmod(0o640)
    ssh, age = tmp_path / "id_ed25519", tmp_path / "age.key"
    for path in (ssh, age):
        path.write_text("SECRET")
        path.chmod(0o604)
    monkeypatch.setenv("GATEWAY_AGE_KEY_FILE", str(age))
    text = HOST.replace('"edge": "slb"', '"edge": "tls"').replace('{"sites"', f'{{"ssh_key": "{ssh}", "sites"')
    of_key = "may read or change files/certs/wx.a.edu.cn/privkey.pem (mode 0640): chmod 600 files/certs/"
    first, second = [one for one in checkout(text, "warning") if "chmod" in one]
    assert first.startswith("h1: wx.a.edu.cn: cert: ")
    assert of_key in first
    assert second == (f"ssh_key: other users of this machine may read or change {ssh} (mode 0604): chmod 600 {ssh}")
    folder = checkout.path / "files/certs/wx.b.edu.cn"
    folder.mkdir()
    (folder / "privkey.pem.age").touch()
    told = [one for one in checkout(text, "warning") if "chmod" in one]
    assert told[0] == (
        f"GATEWAY_AGE_KEY_FILE: other users of this machine may read or change {age} (mode 0604): chmod 600 {age}"
    )
    assert not any("SECRET" in one or key.decode().splitlines()[1] in one for one in told)
    for path in (ssh, age, checkout.path / "files/certs/wx.a.edu.cn/privkey.pem"):
        path.chmod(0o600)
    assert [one for one in checkout(text, "warning") if "chmod" in one] == []


def _verification(checkout, folder):
    path = checkout.path / "files" / "verify" / folder
    path.mkdir(parents=True, exist_ok=True)
    (path / "WW_verify_54wuPnLpuTWkAF0Z.txt").write_text("54wuPnLpuTWkAF0Z")


UNUSED = "no site of this inventory has that domain, so nothing uses what is in it"


@pytest.mark.parametrize(
    ("folder", "advice"),
    [
        ("wx.aa.edu.cn", 'did you mean "wx.a.edu.cn"?'),
        ("WX.a.edu.cn", 'did you mean "wx.a.edu.cn"?'),
        ("wx.a.edu.cn.", 'did you mean "wx.a.edu.cn"?'),
        ("wx.a.edu.cn:9001", 'did you mean "wx.a.edu.cn"?'),
        ("wx。a.edu.cn", 'did you mean "wx.a.edu.cn"?'),
        ("Library.example.com", 'as a domain it would be "library.example.com"'),
        ("library.example.com", "add the site, or delete the folder"),
    ],
)
def test_a_verification_file_where_no_site_looks_is_warned_of(checkout, folder, advice):
    _verification(checkout, folder)
    assert checkout(HOST, "warning") == [f"files/verify/{folder}/: {UNUSED}; {advice}"]


def test_folders_of_other_inventories_are_left_alone(checkout):
    for folder in ("wx.b.edu.cn", "card.slb.c.edu.cn", "wx.d.edu.cn", "wx.a.edu.cn"):
        _verification(checkout, folder)
    (checkout.path / "inventory" / "test.py").write_text(
        HOST.replace("wx.a", "wx.b")
        + "_sites = [f'card.{edge}.c.edu.cn' for edge in ('slb', 'tls')]\nraise SystemExit\n"
    )
    (checkout.path / "inventory" / "schools.csv").write_text("D,wx.d.edu.cn,slb\n")
    _verification(checkout, "wx.b.edu.cn.example.com")
    (checkout.path / "files" / "verify" / "empty.example.com").mkdir()
    (checkout.path / "files" / "verify" / "README.md").touch()
    assert checkout(HOST, "warning") == [
        f"files/verify/wx.b.edu.cn.example.com/: {UNUSED}; add the site, or delete the folder"
    ]


def test_the_folder_of_a_domain_that_is_written_wrongly_is_the_right_one(checkout):
    _verification(checkout, "wx.a.edu.cn")
    assert checkout(HOST.replace("wx.a.edu.cn", "WX.a.edu.cn"), "warning") == []


def test_a_certificate_in_a_folder_that_is_nearly_a_sites_is_warned_of(checkout):
    _verification(checkout, "wx.a.edu.cn")
    for folder in ("wx.aa.edu.cn", "library.example.com"):
        _store_pair(checkout.path, folder)
    assert checkout(HOST, "warning") == [f'files/certs/wx.aa.edu.cn/: {UNUSED}; did you mean "wx.a.edu.cn"?']


@pytest.mark.parametrize("place", ["files/verify", "files", "."])
def test_a_verification_file_outside_of_a_domains_folder_is_told_its_place(checkout, place):
    (checkout.path / place / "WW_verify_54wuPnLpuTWkAF0Z.txt").write_text("54wuPnLpuTWkAF0Z")
    name = "WW_verify_54wuPnLpuTWkAF0Z.txt" if place == "." else f"{place}/WW_verify_54wuPnLpuTWkAF0Z.txt"
    assert checkout(HOST, "warning") == [
        f"{name}: is served by no site here; it belongs into files/verify/wx.a.edu.cn/"
    ]


@pytest.mark.parametrize(
    ("text", "line", "message", "severity"),
    [
        (
            'wanxiao_prod = [("h1", {"sites": [{"domain": "wx.b.edu.cn", "edge": "slb",\n"domain": "wx.a.edu.cn"}]})]',
            2,
            '"domain" stands twice in one dict (line 1 too), and the first is lost',
            "error",
        ),
        (
            HOST.replace('"edge": "slb"', '"edge": "slb", "hsts": 1, "hsts": 2'),
            1,
            '"hsts" stands twice in one dict (line 1 too), and the first is lost',
            "warning",
        ),
        (
            HOST + HOST.replace("h1", "h2"),
            2,
            "wanxiao_prod is given twice (line 1 too), and the first is lost",
            "warning",
        ),
    ],
)
def test_what_stands_twice_is_told_and_is_an_error_where_an_entry_is_lost(checkout, text, line, message, severity):
    (problem,) = checkout(text, severity)
    assert checkout(text, "warning" if severity == "error" else "error") == []
    assert problem.startswith(f"inventory/i.py:{line}: {message}")


def test_group_data_is_looked_through_too(checkout):
    path = checkout.path / "group_data" / "all.py"
    path.write_text(path.read_text().replace('"max_body": "200m",', '"max_body": "200m", "max_body": "20m",'))
    (problem,) = checkout(HOST, "warning")
    assert problem.startswith("group_data/all.py:")


@pytest.mark.parametrize(
    "text",
    [
        HOST.replace('{"sites"', '{"x": 1, "x": 1, "sites"'),
        HOST + "more = [*wanxiao_prod]\nmore = []\n",
        HOST.replace("wanxiao_prod", "wanxiao_prod = []\nwanxiao_prod"),
        '_a = {"edge": "tls"}\n' + HOST.replace('"edge": "slb"', '"edge": "x", **_a, "edge": "slb"'),
    ],
)
def test_what_is_written_again_on_purpose_may_stay(checkout, text):
    assert checkout(text) == checkout(text, "warning") == []


@pytest.mark.parametrize(("word", "right"), [("true", "True"), ("false", "False"), ("null", "None")])
def test_a_word_of_json_is_called_what_it_is_in_python(checkout, word, right):
    with pytest.raises(InventoryError, match=rf"NameError: name '{word}' is not defined; in Python it is {right}"):
        checkout(f'g = [("h1", {{"sites": [], "x": {word}}})]')


@pytest.mark.parametrize("entries", ['("h1", {}) ("h2", {})', '[("h1", {})] [("h2", {})]'])
@pytest.mark.filterwarnings("ignore::SyntaxWarning")
def test_a_comma_that_is_missing_between_entries_is_called_by_its_name(checkout, entries):
    with pytest.raises(InventoryError, match=r"i\w+\.py:1: TypeError: .*; a comma is missing between two entries"):
        checkout(f"wanxiao_prod = [{entries}]\n")


def test_check_tells_them(checkout):
    (checkout.path / "inventory" / "one.py").write_text(HOST.replace('{"sites"', '{"hsts": 300, "sites"'))
    done = CliRunner().invoke(main, ["check", "inventory/one.py"])
    assert done.exit_code == 1
    assert 'h1: hsts: is a site\'s key, and nobody reads it beside "sites"' in done.output


def _store_pair(path, domain):
    """A certificate and its key in a checkout."""
    folder = path / "files" / "certs" / domain
    folder.mkdir(parents=True)
    for name, body in zip(("fullchain.pem", "privkey.pem"), pair := make_pair(domain), strict=True):
        (folder / name).write_bytes(body)
        (folder / name).chmod(0o600)
    return pair
