"""What is deployed: a number of schools, one of which may be changed.

They stand on the platform wanxiao_prod, each with one verification file; at edge "tls" each with a certificate.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import Literal

Edge = Literal["slb", "tls"]

HOME = "/etc/nginx/wecom-gateway"

# Small, so that a request can tell which one is in force.
_FIRST_LIMIT = 1


@dataclass(frozen=True)
class School:
    """One site. `max_body_kib` is what changes when a site is changed."""

    domain: str
    edge: Edge
    max_body_kib: int = _FIRST_LIMIT

    @property
    def verify_body(self) -> str:
        return hashlib.sha256(self.domain.encode()).hexdigest()[:16]

    @property
    def verify_name(self) -> str:
        return f"WW_verify_{self.verify_body}.txt"

    def entry(self) -> dict[str, object]:
        """Its entry in the inventory."""
        return {"domain": self.domain, "edge": self.edge, "max_body": f"{self.max_body_kib}k"}


@dataclass(frozen=True)
class Fleet:
    """All schools of one host."""

    schools: tuple[School, ...]

    @classmethod
    def of(cls, count: int, edge: Edge) -> Fleet:
        """So many schools, all at one edge."""
        return cls(tuple(School(f"wx-{number:04}.bench.example", edge) for number in range(1, count + 1)))

    @property
    def changing(self) -> School:
        """The school that `changed` changes: the one in the middle."""
        return self.schools[len(self.schools) // 2]

    def changed(self) -> Fleet:
        """The same schools, with the body limit of one raised."""
        old = self.changing
        new = replace(old, max_body_kib=old.max_body_kib + 1)
        return Fleet(tuple(new if school is old else school for school in self.schools))
