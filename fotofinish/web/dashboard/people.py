"""The people of an organisation: roles, removal, invitations, and the page those lead to."""

from __future__ import annotations

from urllib.parse import quote

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from fotofinish.errors import Conflict, InvalidValue
from fotofinish.organisations.accounts import ROLES, emails_of
from fotofinish.organisations.invitations import (
    DAYS,
    Offer,
    find_offer,
    invite,
    join,
    join_as_new,
    list_invitations,
    revoke,
)
from fotofinish.organisations.members import list_members, remove_member, set_role
from fotofinish.web.dashboard.entering import let_in
from fotofinish.web.dashboard.shell import Frame, Shell, frame_of
from fotofinish.web.dashboard.visitors import Visitor, require
from fotofinish.web.forms import text
from fotofinish.web.services import services


class PeoplePage:
    """Everybody may look; only owners invite, change roles and remove. Anybody may leave."""

    def __init__(self, shell: Shell) -> None:
        self._shell = shell

    async def show(self, request: Request, visitor: Visitor) -> Response:
        """GET `/people`."""
        current = visitor.organisation(request.query_params.get("org"))
        return await self._render(request, frame_of(request, visitor, current))

    async def invite(self, request: Request, visitor: Visitor, form: FormData) -> Response:
        """POST `/people/invitations`: this one answer shows the link; it is kept nowhere."""
        current = require(visitor.organisation(text(form, "org")), "owner")
        frame, note = Frame(visitor, current), text(form, "note")
        ours = services(request)
        try:
            async with ours.pool.connection() as connection:
                token = await invite(
                    connection,
                    current.org_id,
                    text(form, "role"),
                    note=note,
                    created_by=visitor.account.id,
                )
        except (Conflict, InvalidValue) as error:
            return await self._render(request, frame, status=error.status, fault=error.message)
        link = f"{ours.settings.public_url.rstrip('/')}/join?token={token}"
        return await self._render(request, frame, new_link=link)

    async def revoke(self, request: Request, visitor: Visitor, form: FormData) -> Response:
        """POST `/people/invitations/{invitation_id}/revoke`."""
        current = require(visitor.organisation(text(form, "org")), "owner")
        async with services(request).pool.connection() as connection:
            await revoke(connection, current.org_id, request.path_params["invitation_id"])
        return _back(current.org_id, "revoked")

    async def set_role(self, request: Request, visitor: Visitor, form: FormData) -> Response:
        """POST `/people/{account_id}/role`."""
        current = require(visitor.organisation(text(form, "org")), "owner")
        account_id = request.path_params["account_id"]
        try:
            async with services(request).pool.connection() as connection:
                await set_role(
                    connection,
                    current.org_id,
                    account_id,
                    text(form, "role"),
                    by=visitor.account.id,
                )
        except Conflict as error:
            return await self._render(
                request, Frame(visitor, current), status=409, fault=error.message
            )
        return _back(current.org_id, "role")

    async def remove(self, request: Request, visitor: Visitor, form: FormData) -> Response:
        """POST `/people/{account_id}/remove`: owners remove anybody, everybody themselves."""
        account_id = request.path_params["account_id"]
        leaving = account_id == visitor.account.id
        current = require(visitor.organisation(text(form, "org")), "viewer" if leaving else "owner")
        try:
            async with services(request).pool.connection() as connection:
                await remove_member(connection, current.org_id, account_id, by=visitor.account.id)
        except Conflict as error:
            return await self._render(
                request, Frame(visitor, current), status=409, fault=error.message
            )
        return RedirectResponse("/", 303) if leaving else _back(current.org_id, "removed")

    async def _render(
        self,
        request: Request,
        frame: Frame,
        *,
        status: int = 200,
        new_link: str | None = None,
        fault: str | None = None,
    ) -> Response:
        org = frame.current
        if org is None:
            return RedirectResponse("/", 303)
        async with services(request).pool.connection() as connection:
            members = await list_members(connection, org.org_id)
            invitations = await list_invitations(connection, org.org_id)
            inviters = await emails_of(
                connection, {one.created_by for one in invitations if one.created_by is not None}
            )
        return self._shell.render(
            "people.html",
            frame,
            status=status,
            members=members,
            owners=sum(member.role == "owner" for member in members),
            invitations=invitations,
            inviters=inviters,
            roles=ROLES,
            days=DAYS,
            new_link=new_link,
            fault=fault,
        )


class JoiningPage:
    """Where an invitation's link leads: with an account one joins, without one makes it."""

    def __init__(self, shell: Shell) -> None:
        self._shell = shell

    async def ask(self, request: Request, visitor: Visitor | None) -> Response:
        """GET `/join?token=…`."""
        token = request.query_params.get("token", "")
        async with services(request).pool.connection() as connection:
            offer = await find_offer(connection, token)
        return self._form(visitor, token, offer)

    async def join(self, request: Request, visitor: Visitor | None, form: FormData) -> Response:
        """POST `/join`."""
        token, email = text(form, "token"), text(form, "email")
        async with services(request).pool.connection() as connection:
            offer = await find_offer(connection, token)
            try:
                if visitor is None:
                    account = await join_as_new(connection, token, email, text(form, "password"))
                else:
                    await join(connection, token, (account := visitor.account).id)
            except (Conflict, InvalidValue) as error:
                return self._form(visitor, token, offer, email, error)
        to = f"/?org={offer.org_id}&done=joined"
        return RedirectResponse(to, 303) if visitor else await let_in(request, account.id, to)

    def _form(
        self,
        visitor: Visitor | None,
        token: str,
        offer: Offer,
        email: str = "",
        error: Conflict | InvalidValue | None = None,
    ) -> Response:
        return self._shell.render(
            "join.html",
            Frame(visitor, None) if visitor else None,
            status=error.status if error else 200,
            token=token,
            offer=offer,
            email=email,
            fault=error.message if error else None,
            member=visitor is not None
            and any(one.org_id == offer.org_id for one in visitor.organisations),
            sign_in=f"/sign-in?next={quote(f'/join?token={token}', safe='')}",
        )


def _back(org_id: int, done: str) -> Response:
    return RedirectResponse(f"/people?org={org_id}&done={done}", 303)
