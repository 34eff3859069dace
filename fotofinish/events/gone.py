"""Deleting an event: what it destroys, its rows at once, its stored bytes soon after.

`event_gone` names events whose folders are still to be emptied. It is emptied twice: a worker or
an upload that was busy when the event went may put something there for a while.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import LiteralString

from psycopg import AsyncConnection
from psycopg.rows import class_row

from fotofinish.errors import Conflict, InvalidValue, NotFound, StorageError
from fotofinish.faces.matching import lock_for_selfie
from fotofinish.photos.keys import event_folder, incoming_folder
from fotofinish.storage.stores import Store

logger = logging.getLogger(__name__)

SETTLED_MINUTES = 15


@dataclass(frozen=True, slots=True)
class Toll:
    """What the deletion of an event destroys; `size` is the originals', in bytes."""

    photos: int
    size: int
    bib_tags: int
    faces: int
    selfies: int
    participants: int


async def toll_of(connection: AsyncConnection, event_id: int) -> Toll:
    """Count what would be gone for good."""
    async with connection.cursor(row_factory=class_row(Toll)) as cursor:
        await cursor.execute(
            """select (select count(*) from photo where event_id = %(id)s) as photos,
                      (select coalesce(sum(size), 0)::bigint from photo
                       where event_id = %(id)s) as size,
                      (select count(*) from bib_tag where event_id = %(id)s) as bib_tags,
                      (select count(*) from face where event_id = %(id)s) as faces,
                      (select count(*) from selfie where event_id = %(id)s) as selfies,
                      (select count(*) from startlist_entry
                       where event_id = %(id)s) as participants""",
            {"id": event_id},
        )
        toll = await cursor.fetchone()
    assert toll is not None
    return toll


async def delete_event(
    connection: AsyncConnection, org_id: int, event_id: int, *, typed_name: str
) -> None:
    """Delete an event with all it has, for good; its folder is emptied in the background.

    `typed_name` is what somebody typed to confirm it. Raises NotFound, InvalidValue.
    """
    async with connection.transaction():
        await lock_for_selfie(connection, event_id)
        cursor = await connection.execute(
            "select name from event where id = %s and org_id = %s for update", [event_id, org_id]
        )
        row = await cursor.fetchone()
        if row is None:
            raise NotFound("There is no such event.")
        if " ".join(typed_name.split()) != " ".join(row[0].split()):
            raise InvalidValue("This is not the name of the event. Nothing was deleted.")
        await connection.execute("insert into event_gone (event_id) values (%s)", [event_id])
        await connection.execute("delete from event where id = %s", [event_id])
        for table in ("link_due", "photo_gone"):
            await connection.execute(
                f"delete from {table} where event_id = %s",  # noqa: S608 (names from here)
                [event_id],
            )


async def refuse_id_of_gone_event(connection: AsyncConnection, event_id: int) -> None:
    """Raise Conflict while the folder of a deleted event with this id is being emptied."""
    cursor = await connection.execute("select 1 from event_gone where event_id = %s", [event_id])
    if cursor.rowcount:
        raise Conflict(
            f"Event {event_id} was deleted a moment ago and its photos are still being erased; "
            f"choose another --id, or wait {SETTLED_MINUTES} minutes."
        )


async def erase_gone_event(connection: AsyncConnection, store: Store) -> int | None:
    """Empty the folder of one deleted event that is due; its id, None when there is none.

    No transaction is open meanwhile, as a large folder takes minutes. Killed in between, or twice
    at once, it begins again: what is gone already is no error.
    """
    cursor = await connection.execute(
        """select event_id, gone_at + make_interval(mins => %s) <= now() from event_gone
           where next_at <= now() order by event_id limit 1""",
        [SETTLED_MINUTES],
    )
    row = await cursor.fetchone()
    if row is None:
        return None
    event_id, settled = int(row[0]), bool(row[1])
    try:
        for folder in (event_folder(event_id), incoming_folder(event_id)):
            await store.delete_prefix_async(folder)
    except StorageError as error:
        logger.warning("event %s is not erased yet: %s", event_id, error.message)
        await _look_again(connection, event_id, "now() + interval '1 minute'")
        return event_id
    if settled:
        await connection.execute("delete from event_gone where event_id = %s", [event_id])
    else:
        again = f"gone_at + interval '{SETTLED_MINUTES} minutes'"
        await _look_again(connection, event_id, again)
    return event_id


async def _look_again(connection: AsyncConnection, event_id: int, at: LiteralString) -> None:
    await connection.execute(
        f"update event_gone set next_at = {at} where event_id = %s",  # noqa: S608
        [event_id],
    )
