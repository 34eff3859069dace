"""Sessions of people who signed in: a random token in a cookie, its SHA-256 in the database."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import class_row

from fotofinish.errors import NotFound
from fotofinish.organisations.accounts import Account

SESSION_DAYS = 14
MOST_AGENT = 300


@dataclass(frozen=True, slots=True)
class Membership:
    """An organisation that an account works for, and as what (owner, editor, viewer)."""

    org_id: int
    name: str
    role: str


@dataclass(frozen=True, slots=True)
class Session:
    """A session for its owner to see; `agent` is what the browser called itself."""

    id: UUID
    agent: str
    created_at: datetime
    last_seen_at: datetime
    current: bool


async def begin_session(connection: AsyncConnection, account_id: UUID, agent: str = "") -> str:
    """A new session's token, for the cookie alone; forgets sessions that have run out."""
    token = secrets.token_urlsafe(32)
    async with connection.transaction():
        await connection.execute("delete from session where expires_at <= now()")
        await connection.execute(
            """insert into session (digest, account_id, agent, expires_at)
               values (%s, %s, %s, now() + make_interval(days => %s))""",
            [_digest(token), account_id, agent[:MOST_AGENT], SESSION_DAYS],
        )
    return token


async def find_session(connection: AsyncConnection, token: str) -> Account | None:
    """Whose session it is; None when it has ended or never was."""
    digest = _digest(token)
    cursor = await connection.execute(
        """select account.id, account.email, session.last_seen_at < now() - interval '5 minutes'
           from session join account on account.id = session.account_id
           where session.digest = %s and session.expires_at > now()""",
        [digest],
    )
    row = await cursor.fetchone()
    if row is None:
        return None
    if row[2]:
        await connection.execute(
            "update session set last_seen_at = now() where digest = %s", [digest]
        )
    return Account(row[0], row[1])


async def list_sessions(connection: AsyncConnection, account_id: UUID, token: str) -> list[Session]:
    """An account's sessions, this token's first, then the last seen first."""
    async with connection.cursor(row_factory=class_row(Session)) as cursor:
        await cursor.execute(
            """select id, agent, created_at, last_seen_at, digest = %s as current from session
               where account_id = %s and expires_at > now()
               order by current desc, last_seen_at desc, id""",
            [_digest(token), account_id],
        )
        return await cursor.fetchall()


async def end_session(connection: AsyncConnection, token: str) -> None:
    """End a session, if it is one."""
    await connection.execute("delete from session where digest = %s", [_digest(token)])


async def end_own_session(connection: AsyncConnection, account_id: UUID, session_id: UUID) -> None:
    """End one of an account's sessions; raises NotFound for one of somebody else's."""
    cursor = await connection.execute(
        "delete from session where id = %s and account_id = %s", [session_id, account_id]
    )
    if cursor.rowcount == 0:
        raise NotFound("This session has ended already.")


async def end_other_sessions(connection: AsyncConnection, account_id: UUID, token: str) -> None:
    """End all of an account's sessions but this one."""
    await connection.execute(
        "delete from session where account_id = %s and digest <> %s", [account_id, _digest(token)]
    )


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
