"""WeCom's API as far as logins need it. It answers 200 whatever happens; an errcode says what."""

from typing import Any

from .page import Page, Visit, as_json

NAME = "qyapi.weixin.qq.com"
PREFIX = "/cgi-bin/"
CORP, SECRET, TOKEN, CODE = "ww1234567890abcdef", "a-secret", "a-token", "a-code"


def answer(visit: Visit, peer: str) -> Page:
    """What the API says to a caller at the address `peer`."""
    code, message, more = _result(visit)
    if code:
        hint = "hint: [1795744800000000000000000]"
        message = (
            f"{message}, {hint}, from ip: {peer}, more info at https://open.work.weixin.qq.com/devtool/query?e={code}"
        )
    page = as_json({"errcode": code, "errmsg": message, **more})
    return Page(page.status, page.body, page.kind, (("Error-Code", str(code)),))


def _result(visit: Visit) -> tuple[int, str, dict[str, Any]]:
    call = visit.path.removeprefix(PREFIX)
    if call == "gettoken":
        if visit.asked("corpid") != CORP:
            return 40013, "invalid corpid", {}
        if visit.asked("corpsecret") != SECRET:
            return 40001, "invalid credential", {}
        return 0, "ok", {"access_token": TOKEN, "expires_in": 7200}
    token = visit.asked("access_token")
    if token != TOKEN:
        return (40014, "invalid access_token", {}) if token else (41001, "access_token missing", {})
    if call in ("auth/getuserinfo", "user/getuserinfo"):
        if visit.asked("code") != CODE:
            return 40029, "invalid code", {}
        return 0, "ok", {"userid": "zhangsan"}
    if call == "getcallbackip":
        return 0, "ok", {"ip_list": ["192.0.2.1"]}
    return 404, "Not Found", {}
