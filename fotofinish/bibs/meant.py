"""Which bib somebody means who writes a number as it is printed, where the start list has it
otherwise: photos are tagged with what the list has."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from psycopg import AsyncConnection

from fotofinish.bibs.listed import plain_bib
from fotofinish.bibs.numbers import normalise_bib

Found = TypeVar("Found")

ALIKE = """
select case when count(*) = 1 and not bool_or(bib = %s) then min(bib) end from startlist_entry
where event_id = %s and replace(replace(bib, ' ', ''), '-', '') = %s
"""
# of lists without any leading zero: how long numbers are with theirs
LONGEST = """
select max(length(bib)) from startlist_entry
where event_id = %s and bib ~ '^[0-9]+$' having not bool_or(bib like '0%%')
"""


async def find_as_meant(
    connection: AsyncConnection,
    event_id: int | None,
    typed: str,
    find: Callable[[str], Awaitable[Found]],
    is_there: Callable[[Found], object],
) -> Found:
    """What `find` finds of the bib that was typed; where nothing `is_there`, of the bib as the
    start list writes it."""
    # PostgreSQL has no character 0, and no runner wears one: such a bib is looked up as none
    bib = "" if "\0" in typed else normalise_bib(typed)
    found = await find(bib)
    if is_there(found) or (listed := await as_listed(connection, event_id, bib)) == bib:
        return found
    return await find(listed)


async def as_listed(connection: AsyncConnection, event_id: int | None, bib: str) -> str:
    """The bib as the event's start list writes it, by the rules of `StartList.written`; the bib
    itself where the list has no such one, or there is no list."""
    plain = plain_bib(bib)
    if plain.startswith("0") and plain.isdecimal():
        cursor = await connection.execute(LONGEST, [event_id])
        if await cursor.fetchone() == (len(plain),):
            plain = plain.lstrip("0")
    cursor = await connection.execute(ALIKE, [bib, event_id, plain])
    row = await cursor.fetchone()
    return bib if row is None or row[0] is None else str(row[0])
