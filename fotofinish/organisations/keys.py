"""API keys: made once, shown once, kept as SHA-256 only.

A key carries 256 bits of randomness, so a plain fast hash is enough to keep it (a slow one guards
guessable secrets) and its look-up is one unique index.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import class_row

from fotofinish.errors import Conflict, NotFound
from fotofinish.organisations.accounts import act_as_owner

MAX_KEYS = 10
PREFIX_LENGTH = 5


@dataclass(frozen=True, slots=True)
class ApiKey:
    """What may be shown of a key; `prefix` is its first five characters."""

    id: int
    org_id: int
    prefix: str
    active: bool
    created_by: UUID | None
    created_at: datetime
    last_used_at: datetime | None


COLUMNS = "id, org_id, prefix, active, created_by, created_at, last_used_at"


def digest(key: str) -> bytes:
    """The form in which a key is kept and looked up."""
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).digest()


async def create_key(
    connection: AsyncConnection, org_id: int, *, created_by: UUID | None = None
) -> tuple[str, ApiKey]:
    """A new key in full (for the last time) and its record.

    Raises NotFound for an unknown organisation, Conflict when it has 10 keys already, and
    NotAllowed unless `created_by`, if given, is an owner.
    """
    key = secrets.token_urlsafe(32)
    async with connection.transaction(), connection.cursor(row_factory=class_row(ApiKey)) as cursor:
        await cursor.execute("select 1 from organisation where id = %s for update", [org_id])
        if cursor.rowcount == 0:
            raise NotFound(
                f"There is no organisation {org_id}. 'fotofinish org create NAME' makes one."
            )
        if created_by is not None:
            await act_as_owner(connection, org_id, created_by)
        await cursor.execute(
            f"""insert into api_key (org_id, digest, prefix, created_by)
                select %(org)s, %(digest)s, %(prefix)s, %(by)s
                where (select count(*) from api_key where org_id = %(org)s) < %(most)s
                returning {COLUMNS}""",  # noqa: S608 (a constant of this module)
            {
                "org": org_id,
                "digest": digest(key),
                "prefix": key[:PREFIX_LENGTH],
                "by": created_by,
                "most": MAX_KEYS,
            },
        )
        made = await cursor.fetchone()
    if made is None:
        raise Conflict(
            f"An organisation has at most {MAX_KEYS} keys; delete one first, in the dashboard "
            "under Developer."
        )
    return key, made


async def list_keys(connection: AsyncConnection, org_id: int) -> list[ApiKey]:
    """The organisation's keys, oldest first."""
    async with connection.cursor(row_factory=class_row(ApiKey)) as cursor:
        await cursor.execute(
            f"select {COLUMNS} from api_key where org_id = %s order by id",  # noqa: S608
            [org_id],
        )
        return await cursor.fetchall()


async def set_key_active(
    connection: AsyncConnection, org_id: int, key_id: int, *, active: bool
) -> None:
    """Switch a key on or off, from the next request on; raises NotFound."""
    cursor = await connection.execute(
        "update api_key set active = %s where id = %s and org_id = %s", [active, key_id, org_id]
    )
    if cursor.rowcount == 0:
        raise NotFound("There is no such key.")


async def delete_key(connection: AsyncConnection, org_id: int, key_id: int) -> None:
    """Delete a key for good; raises NotFound."""
    cursor = await connection.execute(
        "delete from api_key where id = %s and org_id = %s", [key_id, org_id]
    )
    if cursor.rowcount == 0:
        raise NotFound("There is no such key.")
