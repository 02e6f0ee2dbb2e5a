"""`python -m gateway add` as an operator types it: one command and a file in the place of three steps."""

from __future__ import annotations

import ast
import difflib
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from gateway import whole_file
from gateway.cli.main import main

from .conftest import REPO
from .importing import CHAIN, DOMAIN, LEAF, enter_checkout

CODE = "AbCdEfGhIjKlMnOp"
VERIFICATION = f"WW_verify_{CODE}.txt"
PROD = Path("inventory/prod.py")
HOST = ("--host", "203.0.113.10")
NEW = ("--host", "203.0.113.11")
ONE = '''"""Ours."""

wanxiao_prod = [
    # behind the load balancer
    ("203.0.113.10", {"sites": [{"domain": "wx.one.edu.cn", "edge": "slb"}]}),  # one
]
'''


@pytest.fixture(autouse=True)
def checkout(files, monkeypatch):
    """A checkout with an inventory of one host, as the current folder."""
    enter_checkout(files, monkeypatch)
    shutil.copytree(REPO / "group_data", "group_data")
    PROD.parent.mkdir()
    PROD.write_text(ONE)
    (files.parent / VERIFICATION).write_text(CODE)


def _add(*arguments):
    done = CliRunner().invoke(main, ["add", *map(str, arguments)])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done


def _refused(*arguments):
    """What is said of an entry that is refused: nothing has changed, no folder either."""
    before, files = PROD.read_bytes(), sorted(Path("files").rglob("*"))
    done = _add(*arguments)
    assert done.exit_code == 1
    assert (PROD.read_bytes(), sorted(Path("files").rglob("*"))) == (before, files)
    assert sorted(path.name for path in PROD.parent.iterdir() if path.name != "__pycache__") == ["prod.py"]
    return done.output


def _groups():
    tree = ast.parse(PROD.read_bytes())
    return {node.targets[0].id: ast.literal_eval(node.value) for node in tree.body if isinstance(node, ast.Assign)}


def test_one_command_and_a_file_are_a_school_that_can_be_deployed():
    done = _add(
        "wx.two.edu.cn",
        "--host",
        "203.0.113.10",
        "--edge",
        "slb",
        "--slb-cidr",
        "10.0.0.0/24",
        "--verify",
        VERIFICATION,
    )
    assert done.exit_code == 0, done.output
    site = '{"domain": "wx.two.edu.cn", "edge": "slb", "slb_cidrs": ["10.0.0.0/24"]}'
    assert PROD.read_text() == ONE.replace('"edge": "slb"}]', f'"edge": "slb"}},\n{" " * 32}{site}]')
    assert (Path("files/verify/wx.two.edu.cn") / VERIFICATION).read_text() == CODE
    assert "inventory/prod.py: 2 sites can be deployed, 0 errors" in done.output
    assert "wx.two.edu.cn was added to 203.0.113.10, which has 2 sites now" in done.output


def test_a_certificate_is_stored_as_import_cert_stores_it():
    Path("a.pem").write_bytes(CHAIN)
    Path("a.key").write_bytes(LEAF.key_pem)
    arguments = (DOMAIN, "--host", "203.0.113.11", "--edge", "tls", "--platform", "wanxiao_prod")
    done = _add(*arguments, "--cert", "a.pem", "a.key", "--verify", VERIFICATION)
    assert done.exit_code == 0, done.output
    stored = Path("files/certs") / DOMAIN
    assert (stored / "privkey.pem").read_bytes() == LEAF.key_pem
    assert "1 site can be deployed, 0 errors" in done.output


def test_the_entry_stays_where_only_its_certificate_is_missing():
    done = _add(DOMAIN, "--host", "203.0.113.11", "--edge", "tls")
    assert done.exit_code == 1
    assert f"files/certs/{DOMAIN}/fullchain.pem is missing" in done.output
    assert [name for name, _ in _groups()["wanxiao_prod"]] == ["203.0.113.10", "203.0.113.11"]
    assert Path(f"files/verify/{DOMAIN}").is_dir()
    assert Path(f"files/certs/{DOMAIN}").stat().st_mode & 0o777 == 0o700


def test_a_key_that_is_kept_encrypted_is_not_replaced_by_one_in_the_clear():
    Path("a.pem").write_bytes(CHAIN)
    Path("a.key").write_bytes(LEAF.key_pem)
    folder = Path("files/certs") / DOMAIN
    folder.mkdir(parents=True, mode=0o700)
    (folder / "privkey.pem.age").write_text("age-encryption.org/v1\n")
    files = ("--cert", "a.pem", "a.key", "--verify", VERIFICATION)
    assert "the key is kept encrypted here" in _refused(DOMAIN, *NEW, "--edge", "tls", *files)


def test_a_host_is_known_by_its_address_too():
    PROD.write_text('wanxiao_prod = [("gw", {"ssh_hostname": "203.0.113.10", "sites": []})]\n')
    done = _add("wx.two.edu.cn", "--host", "203.0.113.10", "--edge", "slb")
    assert done.exit_code == 0, done.output
    assert [name for name, _ in _groups()["wanxiao_prod"]] == ["gw"]
    assert "wx.two.edu.cn was added to gw, which has 1 site now" in done.output


@pytest.mark.parametrize(
    ("inventory", "platform", "group", "key"),
    [
        (ONE, "wanxiao_prod", "wanxiao_prod", None),
        # group_data/ has a group of that platform
        (ONE, "wanxiao_test", "wanxiao_test", None),
        # a list that is of no platform
        ("gateways = []\n", "wanxiao_prod", "gateways", "wanxiao_prod"),
        ("", "own_app", "own_app", None),
    ],
)
def test_a_new_host_goes_into_the_list_of_its_platform(inventory, platform, group, key):
    PROD.write_text(inventory)
    done = _add("wx.two.edu.cn", "--host", "203.0.113.11", "--edge", "slb", "--platform", platform)
    assert done.exit_code == 0, done.output
    name, data = _groups()[group][-1]
    assert name == "203.0.113.11"
    assert data["sites"][0].get("platform") == key


def test_a_platform_without_a_group_becomes_a_list_whose_sites_name_it():
    text = Path("group_data/all.py").read_text()
    Path("group_data/all.py").write_text(f'{text}platforms["my-app"] = platforms["wanxiao_prod"]\n')
    done = _add("wx.two.edu.cn", "--host", "203.0.113.11", "--edge", "slb", "--platform", "my-app")
    assert done.exit_code == 0, done.output
    assert _groups()["my_app"][0][1]["sites"][0]["platform"] == "my-app"


def test_a_site_of_another_platform_than_its_host_s_list_says_so():
    done = _add("wx.two.edu.cn", "--host", "203.0.113.10", "--edge", "slb", "--platform", "own_app")
    assert done.exit_code == 0, done.output
    assert _groups()["wanxiao_prod"][0][1]["sites"][1]["platform"] == "own_app"


def test_what_blueking_needs_can_be_said():
    blueking = ("--platform", "bkitsm", "--bk-upstream", "https://paas.a.edu.cn", "--bk-app", "bk_itsm", "bk_sops")
    done = _add("wx.two.edu.cn", "--host", "203.0.113.10", "--edge", "slb", *blueking)
    assert done.exit_code == 0, done.output
    bk = _groups()["wanxiao_prod"][0][1]["sites"][1]["bk"]
    assert bk == {"upstream": "https://paas.a.edu.cn", "apps": ["bk_itsm", "bk_sops"]}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("WX.two.edu.cn", *HOST, "--edge", "slb"), 'right would be "wx.two.edu.cn"'),
        (("wx.one.edu.cn", *HOST, "--edge", "slb"), "is there already, on 203.0.113.10 (inventory/prod.py:5); change"),
        (("wx.one.edu.cn", *NEW, "--edge", "slb"), "is there already, on 203.0.113.10 (inventory/prod.py:5); change"),
        (("wx.two.edu.cn", *HOST, "--edge", "tls"), "port 9001 would be TLS here and plain http for wx.one.edu.cn"),
        (("wx.two.edu.cn", *HOST, "--edge", "slb", "--slb-cidr", "10.0.0.1/24"), 'right would be "10.0.0.0/24"'),
        (("wx.two.edu.cn", *HOST, "--edge", "slb", "--platform", "wanxiao"), 'did you mean "wanxiao_'),
        (("wx.two.edu.cn", *NEW, "--edge", "slb", "--platform", "wanxiao"), 'did you mean "wanxiao_'),
        (("wx.two.edu.cn", *HOST, "--edge", "slb", "--platform", "bkitsm"), 'platform "bkitsm" needs it'),
        (("wx.two.edu.cn", "--host", "ops@203.0.113.11", "--edge", "slb"), "right would be an address like"),
        (("wx.two.edu.cn", "--host", "203.0.113.11:22", "--edge", "slb"), "right would be an address like"),
        (("wx.two.edu.cn", "--host", "300.0.113.11", "--edge", "slb"), "right would be an address like"),
        (("wx.two.edu.cn", "--host", "203.0.113.11.", "--edge", "slb"), "right would be an address like"),
        (("wx.two.edu.cn", *HOST, "--edge", "slb", "--verify", "gone.txt"), "gone.txt: cannot be read"),
        (("wx.two.edu.cn", *HOST, "--edge", "slb", "--verify", "group_data"), "is a folder, no regular file"),
        (("wx.two.edu.cn", *HOST, "--edge", "slb", "--verify", "page.txt"), "is a web page, saved while not logged in"),
        (("wx.two.edu.cn", *HOST, "--edge", "slb", "--cert", "page.txt"), "the load balancer holds the certificate"),
        (("wx.two.edu.cn", *NEW, "--edge", "tls", "--cert", "page.txt"), "no certificate in page.txt"),
        (("wx.two.edu.cn", *HOST, "--edge", "slb", "--inventory", "inventory/none.py"), "no such file"),
        (("wx.two.edu.cn", *HOST, "--edge", "slb", "--inventory", "203.0.113.10,"), "is no Python file"),
    ],
)
def test_what_could_not_be_deployed_is_refused_and_nothing_changes(arguments, said):
    Path("page.txt").write_text("<html>log in</html>")
    assert said in _refused(*arguments)


def test_a_wrong_edge_is_refused():
    done = _add("wx.two.edu.cn", *HOST, "--edge", "ssl")
    assert done.exit_code == 2
    assert "'ssl' is not one of 'slb', 'tls'" in done.output
    assert PROD.read_text() == ONE


def test_with_several_lists_a_new_host_needs_its_platform():
    PROD.write_text(ONE + "\nbkitsm = []\n")
    said = _refused("wx.two.edu.cn", *NEW, "--edge", "slb")
    assert "inventory/prod.py has 2 lists of hosts" in said
    assert '"bkitsm", "wanxiao_prod"' in said


@pytest.mark.parametrize(
    "clever",
    [
        'wanxiao_prod = [("203.0.113.10", {"sites": [{"domain": f"{x}.edu.cn", "edge": "slb"} for x in "ab"]})]\n',
        '_s = [{"domain": "a.edu.cn", "edge": "slb"}]\nwanxiao_prod = [("203.0.113.10", {"sites": _s})]\n',
        'wanxiao_prod = [(one, {"sites": []}) for one in ["203.0.113.10"]]\n',
        # the list is written out, but what Python makes of it is something else
        'wanxiao_prod = [("203.0.113.10", {"sites": []})]\nwanxiao_prod[0][1]["sites"] = []\n',
        '_m = {"sites": []}\nwanxiao_prod = [("203.0.113.10", {"sites": [], **_m})]\n',
    ],
)
def test_a_file_that_makes_its_lists_by_code_is_refused(clever):
    PROD.write_text(clever)
    said = _refused("wx.two.edu.cn", *HOST, "--edge", "slb")
    assert "inventory/prod.py" in said
    assert "write the " in said


def test_in_the_examples_only_lines_are_added():
    shutil.copy(REPO / "inventory" / "prod.py", PROD)
    before = PROD.read_text().splitlines(keepends=True)
    for number, platform in enumerate(("wanxiao_prod", "bkitsm", "wanxiao_test", "own_app")):
        blueking = ("--bk-upstream", "https://paas.a.edu.cn", "--bk-app", "itsm") if platform == "bkitsm" else ()
        for domain in (f"wx{number}.edu.cn", f"more{number}.edu.cn"):
            host = ("--host", f"203.0.113.{100 + number}", "--edge", "slb", "--platform", platform)
            assert _add(domain, *host, *blueking).exit_code == 0
    changes = list(difflib.ndiff(before, PROD.read_text().splitlines(keepends=True)))
    assert not [line for line in changes if line.startswith("-")]
    assert len([line for line in changes if line.startswith("+") and '"domain"' in line]) == 8


def test_a_mistake_in_another_host_s_entry_is_no_reason_and_in_the_host_s_own_it_is():
    PROD.write_text(ONE + '\nbkitsm = [("h", {"sites": []}), ("h", {"sites": []})]\n')
    assert "wx.two.edu.cn was added" in _add("wx.two.edu.cn", *HOST, "--edge", "slb").output
    assert "the file would not give" in _refused(
        "wx.three.edu.cn", "--host", "h", "--edge", "slb", "--platform", "own_app"
    )


def test_an_inventory_that_cannot_be_read_is_told_as_check_tells_it():
    PROD.write_text("wanxiao_prod = [\n")
    assert "inventory/prod.py:1: '[' was never closed" in _refused("wx.two.edu.cn", *HOST, "--edge", "slb")
    PROD.write_text('wanxiao_prod = ({"203.0.113.10": {"sites": []}},)\n')
    assert "is no list of hosts" in _refused("wx.two.edu.cn", *HOST, "--edge", "slb")


def test_a_verification_file_with_other_content_is_not_replaced():
    there = Path("files/verify/wx.two.edu.cn/app.txt")
    there.parent.mkdir(parents=True)
    there.write_text("one")
    Path("app.txt").write_text("another")
    assert "is there with other content" in _refused("wx.two.edu.cn", *HOST, "--edge", "slb", "--verify", "app.txt")
    there.write_text("another")
    assert _add("wx.two.edu.cn", *HOST, "--edge", "slb", "--verify", "app.txt").exit_code == 0


def test_mode_lines_and_links_are_kept():
    real = Path("elsewhere.py")
    real.write_bytes(ONE.replace("\n", "\r\n").encode())
    real.chmod(0o640)
    PROD.unlink()
    PROD.symlink_to("../elsewhere.py")
    assert _add("wx.two.edu.cn", *NEW, "--edge", "slb").exit_code == 0
    assert PROD.is_symlink()
    assert real.stat().st_mode & 0o777 == 0o640
    body = real.read_bytes()
    assert body.count(b"\r\n") == body.count(b"\n") == 7
    assert body.startswith(ONE[:-2].replace("\n", "\r\n").encode())


def test_where_the_files_cannot_be_stored_the_inventory_stays():
    path = Path("some.py")
    path.write_text("one")
    with pytest.raises(OSError, match="full"), whole_file.replaced(path, b"two"):
        raise OSError("full")
    assert path.read_text() == "one"
    assert not list(Path().glob(".some*"))
