"""Sessions of people who signed in: a random token in a cookie, its SHA-256 in the database."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import class_row

from fotofinish.organisations.accounts import Account

SESSION_DAYS = 14


@dataclass(frozen=True, slots=True)
class Membership:
    """An organisation that an account works for, and as what (owner, editor, viewer)."""

    org_id: int
    name: str
    role: str


async def begin_session(connection: AsyncConnection, account_id: UUID) -> str:
    """A new session's token, for the cookie alone; forgets sessions that have run out."""
    token = secrets.token_urlsafe(32)
    async with connection.transaction():
        await connection.execute("delete from session where expires_at <= now()")
        await connection.execute(
            """insert into session (digest, account_id, expires_at)
               values (%s, %s, now() + make_interval(days => %s))""",
            [_digest(token), account_id, SESSION_DAYS],
        )
    return token


async def find_session(connection: AsyncConnection, token: str) -> Account | None:
    """Whose session it is; None when it has ended or never was."""
    async with connection.cursor(row_factory=class_row(Account)) as cursor:
        await cursor.execute(
            """select account.id, account.email from session
               join account on account.id = session.account_id
               where session.digest = %s and session.expires_at > now()""",
            [_digest(token)],
        )
        return await cursor.fetchone()


async def end_session(connection: AsyncConnection, token: str) -> None:
    """End a session, if it is one."""
    await connection.execute("delete from session where digest = %s", [_digest(token)])


async def memberships_of(connection: AsyncConnection, account_id: UUID) -> list[Membership]:
    """The organisations an account works for, by name."""
    async with connection.cursor(row_factory=class_row(Membership)) as cursor:
        await cursor.execute(
            """select organisation.id as org_id, organisation.name, membership.role
               from membership join organisation on organisation.id = membership.org_id
               where membership.account_id = %s order by organisation.name, organisation.id""",
            [account_id],
        )
        return await cursor.fetchall()


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()
