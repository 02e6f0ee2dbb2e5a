"""An application of a school's own: plain http, and everything built from the Host header, as frameworks do."""

import secrets
from urllib.parse import urlencode

from .page import Page, Visit, redirect

PORT = 8080
ALLOWED = ".campus.example"


class School:
    """Its sessions. Names that do not end in ALLOWED are refused."""

    def __init__(self) -> None:
        self._sessions: set[str] = set()

    def answer(self, visit: Visit) -> Page:
        name = visit.host.partition(":")[0]
        if not name.endswith(ALLOWED):
            return Page(400, "<h1>Bad Request (400)</h1>\n")
        here = f"{visit.scheme}://{visit.host}"
        if visit.path.startswith("/static/"):
            return Page(200, f"// {visit.path}\n", "text/javascript")
        if visit.path == "/login":
            key = secrets.token_hex(8)
            self._sessions.add(key)
            wanted = visit.asked("next") or "/"
            cookie = f"campus_session={key}; Domain={name}; Path=/; HttpOnly; SameSite=Lax"
            return redirect(here + (wanted if wanted.startswith("/") else "/"), cookie)
        if visit.cookie("campus_session") not in self._sessions:
            return redirect(f"{here}/login?{urlencode({'next': visit.path})}")
        return Page(200, f'<a href="{here}/logout">{name}</a><script src="/static/app.js"></script>\n')
