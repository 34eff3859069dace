"""Who looks at the dashboard: the account of a session, and what it may do where."""

from __future__ import annotations

from collections.abc import MutableMapping
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request

from fotofinish.errors import NotAllowed, NotFound
from fotofinish.organisations.accounts import ROLES, Account
from fotofinish.organisations.sessions import Membership, find_session, memberships_of
from fotofinish.web.dashboard.guard import form_token
from fotofinish.web.services import services

COOKIE = "fotofinish_session"


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody who is signed in; `form_token` is what this session's forms carry, `state` the
    request's, for the log."""

    account: Account
    organisations: list[Membership]
    form_token: str
    state: MutableMapping[str, Any]

    def organisation(self, org_id: int | str | None) -> Membership | None:
        """Their organisation with this id, or the first one for None; raises NotFound."""
        if org_id is None:
            return next(iter(self.organisations), None)
        for membership in self.organisations:
            if str(membership.org_id) == str(org_id):
                self.state["org_id"] = membership.org_id
                return membership
        raise NotFound("There is no such organisation.")


async def find_visitor(request: Request) -> Visitor | None:
    """Whose session the request's cookie holds; None when it holds none."""
    token = request.cookies.get(COOKIE)
    if not token:
        return None
    async with services(request).pool.connection() as connection:
        account = await find_session(connection, token)
        if account is None:
            return None
        organisations = await memberships_of(connection, account.id)
    return Visitor(account, organisations, form_token(token), request.scope.setdefault("state", {}))


def may(membership: Membership | None, role: str) -> bool:
    """Whether a member's role reaches as far as `role` does."""
    return membership is not None and ROLES.index(membership.role) <= ROLES.index(role)


def require(membership: Membership | None, role: str) -> Membership:
    """The membership itself; raises NotAllowed unless its role reaches as far as `role`."""
    if membership is None or not may(membership, role):
        needed = "an owner" if role == "owner" else f"an owner or {role}"
        raise NotAllowed(f"Only {needed} of this organisation may do that.")
    return membership
