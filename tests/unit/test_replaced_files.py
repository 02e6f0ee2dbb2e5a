"""A host's `replaces`: what may stand there, and what a deploy makes of it."""

from __future__ import annotations

import pytest

from gateway.deploys import comparison, host_report, losses
from gateway.deploys.held_release import HeldRelease
from gateway.deploys.losses import Losses
from gateway.deploys.objections import objections
from gateway.fleet import replaced_files
from gateway.nginx.tree import tree

from .test_neighbours import LAST, LATE, MARK, USUAL, dump
from .test_objections import SLB, THERE, known

SCHOOL, OTHER = "/etc/nginx/sites-enabled/school", "/etc/nginx/sites-enabled/other"
THEIRS = "server { listen 80 default_server; server_name a.edu.cn _; }"
DUMP = dump(
    {
        "/etc/nginx/nginx.conf": "http { include conf.d/*.conf; include sites-enabled/*; }",
        SCHOOL: THEIRS,
        OTHER: "server { listen 80; server_name b.edu.cn; }",
        USUAL: MARK,
        LATE: MARK,
        LAST: MARK,
    }
)


@pytest.fixture
def host(parse):
    def make(*replaces: str):
        parsed, wrong = parse(SLB, replaces=list(replaces))
        assert not wrong
        return parsed

    return make


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (SCHOOL, "replaces: is a str, not a list; right would be"),
        ([7], "replaces[0]: 7 is no path; right would be the file's whole path"),
        (["sites-enabled/school"], "replaces[0]: 'sites-enabled/school' is no path"),
        (["/etc/nginx/sites-enabled/*"], "is no path"),
        (["/etc/nginx/a b"], "is no path"),
        (["/etc/nginx/x;y"], "is no path"),
        (["/srv/a&b/school.conf"], "is no path"),
        (["/etc/nginx/x\ny"], "is no path"),
        (["/etc/nginx//school"], 'right would be "/etc/nginx/school"'),
        (["/etc/nginx/../school"], 'right would be "/etc/school"'),
        ([SCHOOL, SCHOOL], "replaces[1]: stands twice; keep one"),
        (["/etc/nginx/nginx.conf"], "is nginx's main file, which stays"),
        (["/etc/nginx/wecom-gateway/current/gateway.conf"], "is the gateway's own"),
        (["/etc/nginx/conf.d/wecom-gateway.conf"], "is the gateway's own"),
    ],
)
def test_what_is_no_list_of_files_is_refused_by_its_place(parse, raw, text):
    parsed, problems = parse(SLB, replaces=raw)
    assert parsed is None
    assert text in "\n".join(map(str, problems))


def test_names_as_people_give_them_to_files_pass():
    names = ["/www/server/panel/vhost/nginx/学校.edu.cn.conf", "/etc/nginx/sites-enabled/000-wx@school+1"]
    assert replaced_files.parse("h", names) == (tuple(names), [])


def test_a_release_names_them_and_one_without_is_as_before(host):
    build = known(THERE, dump=DUMP).build
    assert tree(host(SCHOOL), build)["replaces"].body == f"{SCHOOL}\n".encode()
    assert "replaces" not in tree(host(), build)


def test_what_is_in_them_is_no_neighbours(host):
    seen = known(THERE, dump=DUMP)
    assert seen.build.foreign_defaults == {"80"}
    after = seen.replacing((SCHOOL,))
    assert {one.file for one in after.neighbours.servers} == {OTHER}
    # of the two that are left the first is the default by its place
    assert after.neighbours.defaults["80"].file == OTHER
    assert seen.replacing((SCHOOL, OTHER)).build.foreign_defaults == set()
    assert [one.file for one in after.replaced] == [SCHOOL]


def test_a_socket_that_their_nginx_holds_is_in_the_way_all_the_same(host):
    theirs = "server { listen 10.9.9.9:80; server_name a.edu.cn; }"
    dumped = dump({"/etc/nginx/nginx.conf": "http { include sites-enabled/*; }", SCHOOL: theirs, LAST: MARK})
    address = {"listen:0909090A:0050": "900 nginx.service nginx", "listen:00000000:0050": None}
    address["listen:00000000000000000000000000000000:0050"] = None
    found = objections(host(SCHOOL), known(THERE, dump=dumped, **address).replacing((SCHOOL,)))
    assert any("has nginx listen on 10.9.9.9:80 alone" in one for one in found)


def test_a_file_in_which_nginx_reads_no_server_is_refused(host):
    wrong = "/etc/nginx/conf.d/school.conf"
    found, clash = objections(host(wrong), known(THERE, dump=DUMP).replacing((wrong,)))
    assert found == (
        f'"replaces" names {wrong}, in which this host\'s nginx reads no server; it reads servers of others in '
        f"{OTHER}, {SCHOOL}: correct the entry"
    )
    assert f"has a.edu.cn on port 80 as well, in {SCHOOL}" in clash
    assert objections(host(SCHOOL), known(THERE, dump=DUMP).replacing((SCHOOL,))) == []


def test_a_file_that_is_aside_already_is_fine(host):
    there = known(THERE, dump=dump({"/etc/nginx/nginx.conf": "http { include conf.d/*.conf; }", USUAL: MARK}))
    assert len(objections(host(SCHOOL), there)) == 1
    aside = known(
        {**THERE, f"aside:{SCHOOL}": "away"},
        dump=dump({"/etc/nginx/nginx.conf": "http { include conf.d/*.conf; }", USUAL: MARK}),
    )
    assert objections(host(SCHOOL), aside) == []


def test_a_file_too_deep_for_a_test_of_nginx_is_refused(host):
    deep = "/etc/nginx/sites-enabled/2024/school"
    dumped = dump({"/etc/nginx/nginx.conf": "http { include sites-enabled/*/*; }", deep: THEIRS, USUAL: MARK})
    found = objections(host(deep), known(THERE, dump=dumped).replacing((deep,)))
    assert any("does not lie in a folder directly below /etc/nginx" in one for one in found)


def test_an_address_of_the_loopback_alone_is_in_the_way_as_any_other(host):
    """nginx cannot listen on every address while it holds that one; a test of its configuration does not say so."""
    theirs = "server { listen localhost:80; server_name a.edu.cn; }"
    dumped = dump({"/etc/nginx/nginx.conf": "http { include sites-enabled/*; }", SCHOOL: theirs, LAST: MARK})
    address = {"listen:0100007F:0050": "900 nginx.service nginx", "listen:00000000:0050": None}
    address["listen:00000000000000000000000000000000:0050"] = None
    found = objections(host(SCHOOL), known(THERE, dump=dumped, **address).replacing((SCHOOL,)))
    assert any(f"in {SCHOOL}, has nginx listen on 127.0.0.1:80 alone" in one for one in found)


def test_names_in_capitals_are_the_same_names(host):
    written = dump({"/etc/nginx/nginx.conf": "http { include sites-enabled/*; }", SCHOOL: THEIRS.replace("a.", "A.")})
    assert comparison.replaced_names(host(SCHOOL), known(THERE, dump=written).replacing((SCHOOL,))) == {}


def test_hosts_lists_the_servers_that_are_to_be_replaced_as_well(host):
    sites = host_report.reported(host(SCHOOL), known(THERE, dump=DUMP).replacing((SCHOOL,))).sites
    assert {site.file for site in sites} == {SCHOOL, OTHER}


def test_only_a_file_whose_place_is_free_is_said_to_come_back():
    told = {**THERE, f"aside:{SCHOOL}": "away", f"aside:{OTHER}": "there", f"replaces:{OTHER}": "there"}
    seen = known(told, dump=DUMP)
    assert (seen.aside, seen.returning, seen.strays) == ({SCHOOL, OTHER}, {SCHOOL}, {OTHER})
    (*_, back) = comparison.of_withdrawal(seen, HeldRelease())
    assert back.text == f"put back: {SCHOOL}"


def test_where_no_release_is_in_force_nobody_is_asked_who_deployed_it():
    names = Losses(replaced={"b.edu.cn": OTHER})
    assert len(comparison.told(names, HeldRelease(), ())) == 1
    assert len(comparison.told(Losses(unread="0" * 16), HeldRelease(), ())) == 2


def test_names_that_nobody_would_answer_any_more_are_a_loss(host):
    seen = known(THERE, dump=DUMP)
    names = comparison.replaced_names(host(SCHOOL, OTHER), seen.replacing((SCHOOL, OTHER)))
    assert names == {"b.edu.cn": OTHER}
    assert comparison.replaced_names(host(SCHOOL), seen.replacing((SCHOOL,))) == {}
    (text,) = Losses(replaced=names).refusals(())
    assert f"nobody would any more: b.edu.cn ({OTHER})" in text
    assert Losses(replaced=names).refusals({losses.SITES}) == []
