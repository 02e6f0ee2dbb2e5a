"""`adopt` on configurations of the kinds that people post and copy: nothing of them is lost without a word."""

from __future__ import annotations

import pytest

from .adopting import PASS, SITE, here, put, run, site

__all__ = ["here"]

DEBIAN = "include /etc/nginx/modules-enabled/*.conf;\nhttp { include /etc/nginx/sites-enabled/*; }\n"
RPM = "include /usr/share/nginx/modules/*.conf;\nhttp { include /etc/nginx/sites-enabled/*; }\n"


# what it reads


@pytest.mark.parametrize("main", [DEBIAN, RPM])
def test_a_copied_folder_without_the_modules_folder_is_read(main: str) -> None:
    """The pattern of a folder that was not copied means no file of another one."""
    put("old/nginx.conf", main)
    put("old/sites-enabled/school", SITE)
    done = run("old", "--out", "new")
    assert done.exit_code == 0, done.output
    assert "old/sites-enabled/school:1: wx.a.edu.cn [80]: adopted" in done.output
    assert "not read" not in done.output


def test_a_file_that_includes_itself_is_read_but_for_that() -> None:
    put("old/nginx.conf", f"http {{ include nginx.conf; {SITE} }}")
    done = run("old", "--out", "new")
    assert "old/nginx.conf:1: wx.a.edu.cn [80]: adopted" in done.output
    assert "not read: old/nginx.conf:1: old/nginx.conf includes itself" in done.output


@pytest.mark.parametrize("given", ["old", ".", "nginx.conf"])
def test_a_pattern_without_a_folder_means_the_folder_itself(given: str, monkeypatch: pytest.MonkeyPatch) -> None:
    put("old/nginx.conf", "http { include *.vhost; }")
    put("old/a.vhost", SITE)
    if given != "old":
        monkeypatch.chdir("old")
    assert "a.vhost:1: wx.a.edu.cn [80]: adopted" in run(given, "--out", "../new").output


def test_an_included_file_may_be_empty() -> None:
    """Panels make an empty file of rewrites for every site."""
    put("old/nginx.conf", f"http {{ {site(PASS, 'include rewrite/a.conf;')} }}")
    put("old/rewrite/a.conf", "")
    done = run("old", "--out", "new")
    assert done.exit_code == 0
    assert "not read" not in done.output
