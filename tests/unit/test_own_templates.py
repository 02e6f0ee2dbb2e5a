"""Templates of the current folder's own: they go before the product's, and a wrong one is told as what it is."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner
from jinja2 import UndefinedError

from gateway import product, rendering
from gateway.cli.main import main
from gateway.deploys import preflight, target
from gateway.fleet.loading import load
from gateway.nginx import tree
from gateway.nginx.tls_profile import Version
from gateway.nginx.trial import LIKELY_BUILD
from gateway.outside import whole_fleet

from .conftest import REPO

SLB = {"domain": "a.edu.cn", "edge": "slb", "platform": "wanxiao_prod"}
HOST = {"sites": [SLB]}
RIGHT = "; correct it, or delete the file, and wecom-gateway's own is used again [WG1060]"


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Writes files under `templates/` of an operator's folder, which is the current one and has one site."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "group_data").symlink_to(REPO / "group_data")
    (tmp_path / "own.py").write_text(f"hosts = [('h1', {HOST!r})]\n")

    def put(files):
        for name, body in files.items():
            path = tmp_path / "templates" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(body if isinstance(body, bytes) else body.encode())
        # a command is a process of its own, which finds the files as they are
        rendering._environment.cache_clear()

    return put


def _tree():
    (host,) = load(f"{Path.cwd()}/own.py").hosts
    return tree.tree(host, LIKELY_BUILD)


def _command(*arguments):
    """Exit code and all that is printed by a command on the folder's inventory."""
    done = CliRunner().invoke(main, [arguments[0], str(Path.cwd() / "own.py"), *arguments[1:]])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, done.output


def _told(*arguments):
    """The errors that a command prints."""
    code, output = _command(*arguments)
    assert code == (2 if arguments[0] == "status" else 1)
    return [line.removeprefix("error: ") for line in output.splitlines() if line.startswith("error: ")]


def _shipped(name):
    return (REPO / "templates" / name).read_text()


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("nginx/site-slb.conf.j2", "sites/wanxiao_prod-slb.conf"),
        ("nginx/snippets/proxy.conf.j2", "snippets/proxy.conf"),
        ("nginx/error.html", "errors.conf"),
        ("nginx/no-authority.pem", "no-authority.pem"),
        ("systemd/wecom-gateway-resolve.timer", "units/wecom-gateway-resolve.timer"),
        ("dpkg/wecom-gateway", "dpkg.cfg"),
    ],
)
def test_a_file_of_a_release_is_made_from_the_folder_s_own_template(write, name, path):
    before = _tree()
    write({name: _shipped(name) + "# of our own\n"})
    after = _tree()
    assert b"# of our own" in after[path].body
    assert {one for one in after if after[one] != before[one]} <= {path, "sources"}


def test_sheets_and_the_page_are_made_from_the_folder_s_own_templates(write, monkeypatch, tmp_path):
    monkeypatch.setattr(whole_fleet, "ask", lambda *_: [])
    write(
        {"handover/sheet.md.j2": "our own sheet of {{ sheet.domain }}", "verify/report.html.j2": "<p>ours {{ when }}"}
    )
    assert _command("handover", "--out", "sheets")[0] == 0
    assert (tmp_path / "sheets" / "a.edu.cn.md").read_text() == "our own sheet of a.edu.cn"
    assert "<html" in (tmp_path / "sheets" / "a.edu.cn.html").read_text()
    _command("verify", "--report", "page.html")
    assert (tmp_path / "page.html").read_text().startswith("<p>ours 20")


def test_a_name_that_the_product_has_no_template_of_is_told_with_the_nearest(write):
    """It would be passed over without a word: the operator believes that it is used."""
    write({"nginx/site-sbl.conf.j2": "x", "ngnix/error.html": "x", "mine.txt": "x"})
    text = f"{product.full_name()} has no template of this name; rename or delete it"
    assert _told("check") == [
        f"templates/mine.txt: {text} [WG1060]",
        f'templates/nginx/site-sbl.conf.j2: {text} (did you mean "templates/nginx/site-slb.conf.j2"?) [WG1060]',
        f'templates/ngnix/error.html: {text} (did you mean "templates/nginx/error.html"?) [WG1060]',
    ]


def test_a_part_that_an_own_template_includes_is_meant_and_so_are_a_readme_and_hidden_files(write):
    own = _shipped("nginx/site-slb.conf.j2") + '{% include "ours.j2" %}\n'
    write({"nginx/site-slb.conf.j2": own, "nginx/ours.j2": "# ours\n", "README.md": "why", "nginx/.swp": b"\xff"})
    assert _command("check")[0] == 0
    assert b"# ours" in _tree()["sites/wanxiao_prod-slb.conf"].body


def test_a_pipe_in_place_of_a_template_is_not_waited_for(write, tmp_path):
    write({})
    (tmp_path / "templates" / "nginx").mkdir(parents=True)
    os.mkfifo(tmp_path / "templates" / "nginx" / "error.html")
    assert _told("check") == [f"templates/nginx/error.html: is no regular file{RIGHT}"]


FAULTS = [
    ("nginx/site-slb.conf.j2", "a\n{% iff %}", "site-slb.conf.j2:2: Encountered unknown tag 'iff'"),
    ("nginx/site-slb.conf.j2", "a\n\n{{ nothing }}", "site-slb.conf.j2:3: 'nothing' is undefined"),
    ("nginx/site-slb.conf.j2", "{{ 1 / 0 }}", "site-slb.conf.j2:1: division by zero"),
    ("nginx/site-slb.conf.j2", "{{ 'x' | no_filter }}", "site-slb.conf.j2:1: No filter named 'no_filter'"),
    ("nginx/site-slb.conf.j2", '\n{% include "gone.j2" %}', "site-slb.conf.j2:2: there is no template gone.j2"),
    ("nginx/site-slb.conf.j2", b"\xff\xfe", "site-slb.conf.j2: is not UTF-8 text"),
    ("nginx/error.html", b"\xff\xfe", "error.html: is not UTF-8 text"),
    ("systemd/wecom-gateway-renew.service", b"\xff", "wecom-gateway-renew.service: is not UTF-8 text"),
]


@pytest.mark.parametrize(("name", "body", "fault"), FAULTS)
def test_a_broken_template_of_a_release_is_told_before_anything_is_asked(write, name, body, fault):
    write({name: body})
    place = f"templates/{name.rpartition('/')[0]}/"
    assert _told("check") == [f"{place}{fault}{RIGHT}"]
    _, report = _command("check", "--json")
    assert [one["field"] for one in json.loads(report)["problems"] if one["severity"] == "error"] == [
        (place + fault).partition(": ")[0]
    ]


def test_what_a_shipped_template_misses_in_an_own_one_names_both(write):
    write({"nginx/macros.j2": "nothing here"})
    (told,) = _told("check")
    assert told.startswith("templates/nginx/macros.j2: ")
    assert "(in wecom-gateway's own " in told
    assert told.endswith(RIGHT)


@pytest.mark.parametrize("body", ["{% iff %}", "{{ nothing }}"])
def test_no_sheet_and_no_page_is_made_of_a_broken_template(write, body, monkeypatch, tmp_path):
    monkeypatch.setattr(whole_fleet, "ask", lambda *_: [])
    write({"handover/sheet.md.j2": body})
    (told,) = _told("handover", "--out", "sheets")
    assert told.startswith("templates/handover/sheet.md.j2:1: ")
    assert not (tmp_path / "sheets" / "a.edu.cn.md").exists()
    shutil.rmtree(tmp_path / "templates")
    write({"verify/report.html.j2": body})
    told = _told("verify", "--report", "page.html")
    assert {one.partition(": ")[0] for one in told} == {"templates/verify/report.html.j2:1"}
    assert not (tmp_path / "page.html").exists()


@pytest.mark.parametrize("body", ["{% iff %}", "{{ nothing }}"])
def test_a_deploy_stops_at_it_before_any_host_is_asked(write, body, monkeypatch, capsys):
    class Context:
        params = {"inventory": f"{Path.cwd()}/own.py", "operations": ("deploy.py",)}  # noqa: RUF012

    monkeypatch.setattr(preflight.click, "get_current_context", lambda **_: Context)
    write({"nginx/site-slb.conf.j2": body})
    with pytest.raises(SystemExit):
        preflight.stop_on_problems()
    said = capsys.readouterr().err
    assert "error: templates/nginx/site-slb.conf.j2:1: " in said
    assert "no host was contacted" in said


@pytest.mark.parametrize(("body", "fault"), [("{% iff %}", "Encountered unknown"), ("{{ nothing }}", "'nothing' is")])
def test_status_says_of_each_host_that_its_release_cannot_be_told(write, body, fault, tmp_path):
    write({"nginx/site-slb.conf.j2": body})
    seen = {"fake_responses": {"apt-cache policy": "version nginx version: nginx/1.22.1\n"}, "fake_delay": 0}
    (tmp_path / "own.py").write_text(f"hosts = [('@fake/h1', { ({**HOST, **seen, 'fake_delay_jitter': 0})!r})]\n")
    code, output = _command("status", "--no-outside", "--json")
    (host,) = json.loads(output)["hosts"]
    assert code == 2
    assert host["reachable"]
    assert host["problem"].startswith(f"templates/nginx/site-slb.conf.j2:1: {fault}")


def test_one_that_fails_for_a_host_s_own_nginx_alone_is_a_sentence_of_pyinfra_s(write, monkeypatch):
    """What `check` renders for is another nginx than the host's."""
    write({"nginx/site-slb.conf.j2": "{% if not build.has('http2_directive') %}fine{% else %}{{ nothing }}{% endif %}"})
    (host,) = load(f"{Path.cwd()}/own.py").hosts
    one = target.Target(host)
    monkeypatch.setattr(one, "state", lambda: target.HostState(installed=Version((1, 26, 3))))
    with pytest.raises(target.TemplateRefusedError, match=r"^templates/nginx/site-slb.conf.j2:1: 'nothing'"):
        one.wanted()


def test_a_template_of_the_product_that_fails_is_the_product_s_fault(write, monkeypatch):
    write({"verify/report.html.j2": "x"})
    with pytest.raises(UndefinedError):
        rendering.render("nginx", "site-slb.conf.j2", {})
