"""People who sign in: e-mail and password (argon2id), and what they may do in an organisation."""

from __future__ import annotations

import asyncio
import re
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from psycopg import AsyncConnection
from psycopg.errors import ForeignKeyViolation, NumericValueOutOfRange, UniqueViolation

from fotofinish.errors import Conflict, InvalidValue, NotAllowed, NotFound

ROLES = ("owner", "editor", "viewer")
MIN_PASSWORD = 10
MAX_PASSWORD = 1024


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody who can sign in."""

    id: UUID
    email: str


async def create_account(
    connection: AsyncConnection,
    email: str,
    org_id: int,
    *,
    password: str | None = None,
    role: str = "owner",
) -> tuple[Account, str]:
    """Make an account with a role in an organisation; returns it and its password.

    Without a password a random one is made. Raises Conflict for a known address, NotFound for an
    unknown organisation, InvalidValue for an address or password that does not do.
    """
    email = email.strip().lower()
    if not re.fullmatch(r"[^@\s\0]{1,64}@[^@\s\0]{1,255}", email):
        raise InvalidValue(f"{email!r} is no e-mail address.")
    if role not in ROLES:
        raise InvalidValue(f"A role is one of {', '.join(ROLES)}.")
    if password is None:
        password = _random_password()
    check_password(password)
    password_hash = await asyncio.to_thread(PasswordHasher().hash, password)
    try:
        async with connection.transaction():
            cursor = await connection.execute(
                "insert into account (email, password_hash) values (%s, %s) returning id",
                [email, password_hash],
            )
            row = await cursor.fetchone()
            assert row is not None
            await connection.execute(
                "insert into membership (account_id, org_id, role) values (%s, %s, %s)",
                [row[0], org_id, role],
            )
    except UniqueViolation:
        raise Conflict(f"There is an account for {email} already.") from None
    except (ForeignKeyViolation, NumericValueOutOfRange):
        raise NotFound(
            f"There is no organisation {org_id}. 'fotofinish org create NAME' makes one."
        ) from None
    return Account(row[0], email), password


async def find_password_hash(
    connection: AsyncConnection, email: str
) -> tuple[Account | None, str | None]:
    """The account of an address and the hash of its password; (None, None) for an unknown one."""
    cursor = await connection.execute(
        "select id, email, password_hash from account where email = %s", [email.strip().lower()]
    )
    row = await cursor.fetchone()
    return (Account(row[0], row[1]), str(row[2])) if row else (None, None)


async def emails_of(connection: AsyncConnection, account_ids: Collection[UUID]) -> dict[UUID, str]:
    """The addresses of these accounts."""
    cursor = await connection.execute(
        "select id, email from account where id = any(%s)", [list(account_ids)]
    )
    return dict(await cursor.fetchall())


async def act_as_owner(connection: AsyncConnection, org_id: int, account_id: UUID) -> None:
    """Raise NotAllowed unless the account is an owner now; who changes roles waits from here on,
    until this transaction has ended."""
    await connection.execute("select 1 from organisation where id = %s for update", [org_id])
    cursor = await connection.execute(
        "select 1 from membership where org_id = %s and account_id = %s and role = 'owner'",
        [org_id, account_id],
    )
    if cursor.rowcount == 0:
        raise NotAllowed("Only an owner of this organisation may do that.")


def fits(password_hash: str | None, password: str) -> bool:
    """Whether a password fits its hash; takes as long when there is none (some 50 ms)."""
    if password_hash is None:
        PasswordHasher().hash(password)
        return False
    try:
        return PasswordHasher().verify(password_hash, password)
    except (VerificationError, InvalidHashError):
        return False


async def set_password(
    connection: AsyncConnection, email: str, password: str | None = None
) -> tuple[Account, str]:
    """Give an account another password and end its sessions; returns it and its password.

    Without a password a random one is made. Raises NotFound for an unknown address, InvalidValue
    for a password that does not do.
    """
    email = email.strip().lower()
    if password is None:
        password = _random_password()
    check_password(password)
    password_hash = await asyncio.to_thread(PasswordHasher().hash, password)
    async with connection.transaction():
        cursor = await connection.execute(
            "update account set password_hash = %s where email = %s returning id",
            [password_hash, email],
        )
        row = await cursor.fetchone()
        if row is None:
            raise NotFound(
                f"There is no account for {email}. "
                "'fotofinish user create EMAIL --org ORG_ID' makes one."
            )
        await connection.execute("delete from session where account_id = %s", [row[0]])
    return Account(row[0], email), password


def check_password(password: str) -> None:
    """Raise InvalidValue unless a password may be chosen."""
    if not MIN_PASSWORD <= len(password) <= MAX_PASSWORD:
        raise InvalidValue(f"A password has at least {MIN_PASSWORD} characters.")


def _random_password() -> str:
    return secrets.token_urlsafe(12)
