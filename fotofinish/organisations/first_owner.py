"""The first owner of an installation, made on a page whose address only the server's log tells."""

from __future__ import annotations

import hmac

from psycopg import AsyncConnection

from fotofinish.errors import NotFound
from fotofinish.organisations.accounts import Account, create_account
from fotofinish.organisations.organisations import create_organisation

PURPOSE = b"fotofinish: address of the set-up page, version 1"
GONE = "There is nothing at this address."


def set_up_secret(signing_key: bytes) -> str:
    """What the address carries: the same in every process that signs with this key."""
    return hmac.digest(signing_key, PURPOSE, "sha256").hex()[:40]


def set_up_secret_fits(signing_key: bytes, given: str) -> bool:
    """Whether somebody knows the secret."""
    expected = set_up_secret(signing_key).encode()
    return hmac.compare_digest(expected, given.encode("utf-8", "replace"))


async def has_accounts(connection: AsyncConnection) -> bool:
    """Whether anybody can sign in yet."""
    cursor = await connection.execute("select exists (select from account)")
    row = await cursor.fetchone()
    assert row is not None
    return bool(row[0])


async def set_up(
    connection: AsyncConnection, organisation: str, email: str, password: str
) -> Account:
    """Make the first organisation and its owner; raises NotFound once there is an account.

    Raises InvalidValue for a name, address or password that does not do.
    """
    async with connection.transaction():
        # no other process, no command line makes an account between the look and the making
        await connection.execute("lock table account in share row exclusive mode")
        if await has_accounts(connection):
            raise NotFound(GONE)
        made = await create_organisation(connection, organisation)
        account, _ = await create_account(connection, email, made.id, password=password)
    return account
