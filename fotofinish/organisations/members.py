"""The people of an organisation: who they are there, and how that changes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import class_row

from fotofinish.errors import Conflict, InvalidValue, NotFound
from fotofinish.organisations.accounts import ROLES, act_as_owner
from fotofinish.organisations.invitations import revoke_all_of

LAST_OWNER = "The last owner stays: make somebody else an owner first."


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody who works for an organisation; `last_seen` in a session that still lasts."""

    account_id: UUID
    email: str
    role: str
    last_seen: datetime | None


async def list_members(connection: AsyncConnection, org_id: int) -> list[Member]:
    """The organisation's people: owners first, then by address."""
    async with connection.cursor(row_factory=class_row(Member)) as cursor:
        await cursor.execute(
            """select account.id as account_id, account.email, membership.role,
                      (select max(last_seen_at) from session
                       where session.account_id = account.id) as last_seen
               from membership join account on account.id = membership.account_id
               where membership.org_id = %s
               order by array_position(%s, membership.role), account.email""",
            [org_id, list(ROLES)],
        )
        return await cursor.fetchall()


async def set_role(
    connection: AsyncConnection, org_id: int, account_id: UUID, role: str, *, by: UUID
) -> None:
    """Give a member another role; who is owner no more has no open invitations either.

    Raises NotFound, InvalidValue, Conflict for the last owner, NotAllowed unless `by` is an owner.
    """
    if role not in ROLES:
        raise InvalidValue(f"A role is one of {', '.join(ROLES)}.")
    async with connection.transaction():
        await act_as_owner(connection, org_id, by)
        await _keep_an_owner(connection, org_id, account_id, leaving=role != "owner")
        await connection.execute(
            "update membership set role = %s where org_id = %s and account_id = %s",
            [role, org_id, account_id],
        )
        if role != "owner":
            await revoke_all_of(connection, org_id, account_id)


async def remove_member(
    connection: AsyncConnection, org_id: int, account_id: UUID, *, by: UUID
) -> None:
    """End a membership, from the next request on, and take back the member's open invitations.

    Raises NotFound, Conflict for the last owner, NotAllowed unless `by` is an owner or the member.
    """
    async with connection.transaction():
        if by != account_id:
            await act_as_owner(connection, org_id, by)
        await _keep_an_owner(connection, org_id, account_id, leaving=True)
        await connection.execute(
            "delete from membership where org_id = %s and account_id = %s", [org_id, account_id]
        )
        await revoke_all_of(connection, org_id, account_id)


async def _keep_an_owner(
    connection: AsyncConnection, org_id: int, account_id: UUID, *, leaving: bool
) -> None:
    """Hold back others who change roles here, and refuse what would leave no owner."""
    await connection.execute("select 1 from organisation where id = %s for update", [org_id])
    cursor = await connection.execute(
        """select account_id = %(account)s, role = 'owner' from membership
           where org_id = %(org)s and (account_id = %(account)s or role = 'owner')""",
        {"org": org_id, "account": account_id},
    )
    found = await cursor.fetchall()
    if not any(meant for meant, _ in found):
        raise NotFound("There is no such member.")
    if leaving and not any(owner and not meant for meant, owner in found):
        raise Conflict(LAST_OWNER)
