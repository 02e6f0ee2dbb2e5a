"""BlueKing's apps with a mobile part, as their published code answers.

Each takes a visit for one from WeCom by headers and path, sends who is not logged in to WeCom's OAuth page, and
everybody else to the login of the PC pages. What it calls WeCom with is made up: a code is good once.
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

from .page import Page, Visit, redirect

OAUTH = "https://open.weixin.qq.com/connect/oauth2/authorize"
PC_LOGIN = "https://paas.inner.example/login/"
NOT_WECOM = "非微信访问，或应用未启动微信访问"
WRONG_STATE = "State验证失败"
FAILED = "登录失败"


@dataclass(frozen=True)
class App:
    """An app as it is installed.

    `site` is where it lives on `host`, `external` and `public` are the domain and the path that it is told to be
    published under (BKAPP_WEIXIN_APP_EXTERNAL_HOST; BKAPP_WEIXIN_SITE_URL, else below `site`).
    """

    code: str
    host: str
    site: str
    external: str
    public: str
    cookies: str
    is_visit: Callable[["App", Visit], bool]

    @property
    def weixin(self) -> str:
        return f"{self.site}weixin/"


def _itsm(app: App, visit: Visit) -> bool:
    # The exact name; and the header of its own, which inner proxies leave alone.
    told = visit.request.first("x-forwarded-host") or visit.host
    ours = visit.request.first("x-forwarded-weixin-host") is not None
    return ours and told == app.external and visit.path.startswith(app.weixin)


def _sops(app: App, visit: Visit) -> bool:
    # The header of its own is put in the other's place before anything looks at it.
    return _host(visit) == app.external and visit.path.startswith(app.weixin)


def _monitoring(app: App, visit: Visit) -> bool:
    # It may be published under another path, and is told so by a header.
    path = visit.request.first("x-original-uri") or visit.path
    return _host(visit) == app.external and path.startswith(app.public)


def _host(visit: Visit) -> str:
    first = visit.request.first
    return first("x-forwarded-weixin-host") or first("x-forwarded-host") or visit.host


def _app(code: str, host: str, site: str, external: str, is_visit: Callable[[App, Visit], bool], **more: str) -> App:
    return App(code, host, site, external, **{"public": f"{site}weixin/", "cookies": "/", **more}, is_visit=is_visit)


APPS = (
    _app("bk_itsm", "paas.inner.example", "/o/bk_itsm/", "itsm.campus.example", _itsm),
    # On PaaS v3 below a path, with "--" for "_", and on a name of its own.
    _app("bk_itsm", "paas.inner.example", "/o/bk--itsm/", "itsm-o.campus.example", _itsm),
    _app("bk_itsm", "apps.inner.example", "/bk--itsm/", "itsm-path.campus.example", _itsm),
    _app("bk_itsm", "bk--itsm.apps.inner.example", "/", "itsm-name.campus.example", _itsm),
    _app("bk_sops", "paas.inner.example", "/o/bk_sops/", "sops.campus.example", _sops, cookies="/o/bk_sops/"),
    _app(
        *("bk_monitorv3", "paas.inner.example", "/o/bk_monitorv3/", "monitor.campus.example", _monitoring),
        public="/bkmonitor/",
        cookies="/o/bk_monitorv3/",
    ),
)


def app(name: str, path: str) -> App | None:
    """The app that lives there."""
    return next((one for one in APPS if one.host == name and path.startswith(one.site)), None)


class BlueKing:
    """The apps' sessions, and the codes that were used."""

    def __init__(self) -> None:
        self._sessions: dict[str, dict[str, Any]] = {}
        self._used: set[str] = set()

    def answer(self, app: App, visit: Visit) -> Page:
        static = f"{app.site}static/weixin/"
        if visit.path.startswith(static):
            file = visit.path.removeprefix(static)
            return (
                Page(200, f"/* {app.code} {file} */\n", "text/css") if file == "app.css" else Page(404, "Not Found\n")
            )
        if visit.path == f"{app.weixin}login/":
            return self._login(app, visit)
        if not app.is_visit(app, visit):
            asked = f"{visit.scheme}://{visit.host}{visit.request.target}"
            return redirect(f"{PC_LOGIN}?{urlencode({'c_url': asked})}")
        session = self._sessions.get(visit.cookie(f"{app.code}_sessionid") or "", {})
        if "user" not in session:
            return self._to_wecom(app, visit)
        page = f'<link rel="stylesheet" href="{_static(app)}app.css"><p>{app.code}: {session["user"]}</p>\n'
        return Page(200, page, headers=(("Set-Cookie", f"weixin_user_id={session['user']}; Path=/"),))

    def _to_wecom(self, app: App, visit: Visit) -> Page:
        path = app.public + visit.path.removeprefix(app.weixin) + (f"?{visit.query}" if visit.query else "")
        back = f"{visit.scheme}://{app.external}{app.public}login/?{urlencode({'c_url': path})}"
        key, state = secrets.token_hex(8), secrets.token_hex(8)
        self._sessions[key] = {"state": state}
        asked = {"appid": "ww0", "redirect_uri": back, "response_type": "code", "scope": "snsapi_base", "state": state}
        cookie = f"{app.code}_sessionid={key}; HttpOnly; Path={app.cookies}; SameSite=Lax"
        return redirect(f"{OAUTH}?{urlencode(asked)}#wechat_redirect", cookie)

    def _login(self, app: App, visit: Visit) -> Page:
        if not app.is_visit(app, visit):
            return Page(200, NOT_WECOM)
        session = self._sessions.get(visit.cookie(f"{app.code}_sessionid") or "", {})
        state, code = session.pop("state", None), visit.asked("code")
        if state is None or visit.asked("state") != state:
            return Page(200, WRONG_STATE)
        if not code or code in self._used:
            return Page(200, FAILED)
        self._used.add(code)
        session["user"] = "zhangsan"
        wanted = visit.asked("c_url") or ""
        safe = wanted.startswith("/") and not wanted.startswith("//")
        return redirect(urlsplit(wanted).path if safe else app.public, "weixin_user_id=zhangsan; Path=/")


def _static(app: App) -> str:
    return f"{app.site}static/weixin/" if app.public == app.weixin else f"{app.public}static/"
