"""Which application answers a request: those that check what the real ones check. Everything else is echoed."""

from ipaddress import ip_address
from typing import Any

from . import blueking, school, wecom
from .page import Page, Visit
from .request import Request


class Applications:
    """The applications of one stand-in, with their sessions."""

    def __init__(self) -> None:
        self._blueking = blueking.BlueKing()
        self._school = school.School()

    def answer(self, request: Request, about: dict[str, Any]) -> Page | None:
        """The page that an application answers with. None where the request is for the echo.

        An X-Lab header asks for the echo, also where an application lives, and so does a call of WeCom's API that says
        nothing.
        """
        if any(name.lower().startswith("x-lab-") for name, _ in request.headers):
            return None
        visit = Visit.of(request, about["tls"])
        name = visit.host.partition(":")[0]
        if app := blueking.app(name, visit.path):
            return self._blueking.answer(app, visit)
        if name == wecom.NAME and visit.path.startswith(wecom.PREFIX) and visit.query:
            return wecom.answer(visit, about["peer"])
        if about["port"] == school.PORT and not _is_ip(name):
            return self._school.answer(visit)
        return None


def _is_ip(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True
