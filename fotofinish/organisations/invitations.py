"""Invitations: links by which colleagues join an organisation. One use each, for a week.

Only the SHA-256 of a link's token is kept, so a link is shown once, to whoever makes it.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.errors import UniqueViolation
from psycopg.rows import class_row

from fotofinish.errors import Conflict, InvalidValue, NotFound
from fotofinish.organisations.accounts import ROLES, Account, act_as_owner, create_account

DAYS = 7
MOST_OPEN = 100
MOST_NOTE = 100
GONE = "This invitation was used, taken back, or is older than a week. Ask for a new link."


@dataclass(frozen=True, slots=True)
class Invitation:
    """An open invitation, for the list; `note` says whom it is meant for."""

    id: UUID
    role: str
    note: str
    created_by: UUID | None
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Offer:
    """What an invitation offers to whoever holds its link."""

    org_id: int
    organisation: str
    role: str


async def invite(
    connection: AsyncConnection, org_id: int, role: str, *, note: str, created_by: UUID
) -> str:
    """The token of a new invitation, for its link alone.

    Raises InvalidValue, Conflict, and NotAllowed unless `created_by` is an owner.
    """
    note = " ".join(note.replace("\0", "").split())
    if role not in ROLES:
        raise InvalidValue(f"A role is one of {', '.join(ROLES)}.")
    if len(note) > MOST_NOTE:
        raise InvalidValue(f"A note has at most {MOST_NOTE} characters.")
    token = secrets.token_urlsafe(32)
    async with connection.transaction():
        await act_as_owner(connection, org_id, created_by)
        await connection.execute("delete from invitation where expires_at <= now()")
        cursor = await connection.execute(
            """insert into invitation (digest, org_id, role, note, created_by, expires_at)
               select %(digest)s, %(org)s, %(role)s, %(note)s, %(by)s,
                      now() + make_interval(days => %(days)s)
               where (select count(*) from invitation where org_id = %(org)s) < %(most)s""",
            {"digest": _digest(token), "org": org_id, "role": role, "note": note,
             "by": created_by, "days": DAYS, "most": MOST_OPEN},
        )  # fmt: skip
    if cursor.rowcount == 0:
        raise Conflict(f"At most {MOST_OPEN} invitations are open at once; take some back.")
    return token


async def list_invitations(connection: AsyncConnection, org_id: int) -> list[Invitation]:
    """The organisation's open invitations, the newest first."""
    async with connection.cursor(row_factory=class_row(Invitation)) as cursor:
        await cursor.execute(
            """select id, role, note, created_by, expires_at from invitation
               where org_id = %s and expires_at > now() order by expires_at desc, id""",
            [org_id],
        )
        return await cursor.fetchall()


async def revoke(connection: AsyncConnection, org_id: int, invitation_id: UUID) -> None:
    """Take an invitation back; raises NotFound when it is gone already."""
    cursor = await connection.execute(
        "delete from invitation where id = %s and org_id = %s", [invitation_id, org_id]
    )
    if cursor.rowcount == 0:
        raise NotFound("There is no such invitation any more.")


async def revoke_all_of(connection: AsyncConnection, org_id: int, account_id: UUID) -> None:
    """Take back what somebody who is no owner any more has invited others to."""
    await connection.execute(
        "delete from invitation where org_id = %s and created_by = %s", [org_id, account_id]
    )


async def find_offer(connection: AsyncConnection, token: str) -> Offer:
    """What the link with this token offers; raises NotFound once it is gone."""
    async with connection.cursor(row_factory=class_row(Offer)) as cursor:
        await cursor.execute(
            """select invitation.org_id, organisation.name as organisation, invitation.role
               from invitation join organisation on organisation.id = invitation.org_id
               where invitation.digest = %s and invitation.expires_at > now()""",
            [_digest(token)],
        )
        offer = await cursor.fetchone()
    if offer is None:
        raise NotFound(GONE)
    return offer


async def join(connection: AsyncConnection, token: str, account_id: UUID) -> Offer:
    """Use an invitation with an account; raises NotFound, and Conflict for a member already."""
    try:
        async with connection.transaction():
            offer = await _use(connection, token)
            await connection.execute(
                "insert into membership (account_id, org_id, role) values (%s, %s, %s)",
                [account_id, offer.org_id, offer.role],
            )
    except UniqueViolation:
        raise Conflict("You work for this organisation already.") from None
    return offer


async def join_as_new(
    connection: AsyncConnection, token: str, email: str, password: str
) -> Account:
    """Use an invitation and make the account for it; raises NotFound, Conflict, InvalidValue."""
    async with connection.transaction():
        offer = await _use(connection, token)
        account, _ = await create_account(
            connection, email, offer.org_id, password=password, role=offer.role
        )
    return account


async def _use(connection: AsyncConnection, token: str) -> Offer:
    """The offer, which nobody else has from here on: of two at once, one finds it gone."""
    offer = await find_offer(connection, token)
    cursor = await connection.execute(
        "delete from invitation where digest = %s and expires_at > now()", [_digest(token)]
    )
    if cursor.rowcount == 0:
        raise NotFound(GONE)
    return offer


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()
