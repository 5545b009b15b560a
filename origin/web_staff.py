"""Staff who work on the pages: their name and roles, in an encrypted cookie of their own that only these pages get.

A visitor's session knows nobody's name. Who changes what the programme does is named with the change, so staff are
remembered by name: for as long as a sign-in lasts, below ``/admin``, and only where the provider gave them a role here.
"""

import msgspec
from starlette.responses import Response

from origin.eligibility.may import MAY
from origin.identity import Official
from origin.web_box import Box
from origin.web_visit import KEPT_S, Visit
from shared import problem
from shared.bearer import Identity
from shared.clock import Clock
from shared.ids import Ids
from shared.keys import KeyRing
from shared.problem import Problem

STAFF_COOKIE = "vestibule_staff"
ADMIN = "/admin"
ROLES = frozenset(role for roles in MAY.values() for role in roles)


class _Member(msgspec.Struct):
    issuer: str
    sub: str
    roles: list[str]


class Staff:
    """Remembers who of the staff has signed in with a browser."""

    def __init__(self, ring: KeyRing, clock: Clock, ids: Ids, *, secure: bool) -> None:
        self._box: Box[_Member] = Box(_Member, ring, "staff", clock, ids)
        self._secure = secure

    def remember(self, response: Response, identity: Identity) -> None:
        """Give staff their cookie; whoever else signs in loses the one that was there before."""
        roles = sorted(identity.roles & ROLES)
        if not roles:
            self.forget(response)
            return
        sealed = self._box.seal(_Member(identity.issuer, identity.sub, roles), life_s=KEPT_S)
        response.set_cookie(
            STAFF_COOKIE, sealed, max_age=KEPT_S, path=ADMIN, secure=self._secure, httponly=True, samesite="lax"
        )

    def forget(self, response: Response) -> None:
        """Take the cookie from the browser."""
        response.delete_cookie(STAFF_COOKIE, path=ADMIN, secure=self._secure, httponly=True, samesite="lax")

    def roles(self, visit: Visit) -> frozenset[str]:
        """Return the roles of who has signed in; none for everybody else."""
        member = self._member(visit)
        return frozenset() if member is None else frozenset(member.roles) & ROLES

    def official(self, visit: Visit, *roles: str) -> Official:
        """Return who has signed in, with the first of ``roles`` that they have.

        Raises:
            Problem: 401 ``unauthenticated``; 403 ``forbidden``.
        """
        member = self._member(visit)
        if member is None:
            raise Problem(problem.UNAUTHENTICATED)
        held = [role for role in roles if role in member.roles]
        if not held:
            raise Problem(problem.FORBIDDEN, f"needs the role {' or '.join(roles)}")
        return Official(member.sub, visit.state.people.pseudonym(member.issuer, member.sub), held[0])

    def _member(self, visit: Visit) -> _Member | None:
        return self._box.open(visit.request.cookies.get(STAFF_COOKIE, ""))
