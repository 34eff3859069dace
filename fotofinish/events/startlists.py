"""Start lists: the bib numbers of who takes part, and their names if given."""

from __future__ import annotations

from collections.abc import Sequence

from psycopg import AsyncConnection

from fotofinish.bibs.listed import StartList
from fotofinish.errors import InvalidValue
from fotofinish.events.startlist_files import Entry, find_columns, read_rows, take_entries


def parse_startlist(text: str) -> list[Entry]:
    """The entries of a CSV (comma, semicolon, tab or bar; with or without a header line).

    Raises InvalidValue naming the first row that does not fit, and how many more there are.
    """
    rows = read_rows(text)
    reading = take_entries(rows, find_columns(rows))
    if reading.faults:
        first, more = reading.faults[0], len(reading.faults) - 1
        others = f" {more:,} more {'row does' if more == 1 else 'rows do'} not fit." if more else ""
        raise InvalidValue(f"Row {first.row} {first.reason}.{others}")
    if not reading.entries:
        raise InvalidValue("The start list has a header and nobody on it.")
    return reading.entries


async def replace_startlist(
    connection: AsyncConnection, event_id: int, entries: Sequence[Entry]
) -> None:
    """Make these the event's start list, whole, in one transaction; none: it has no list."""
    async with connection.transaction():
        # two who replace it at once do so one after the other
        await connection.execute(
            "update event set startlist_version = startlist_version + 1 where id = %s", [event_id]
        )
        await connection.execute("delete from startlist_entry where event_id = %s", [event_id])
        async with (
            connection.cursor() as cursor,
            cursor.copy("copy startlist_entry (event_id, bib, name) from stdin") as copy,
        ):
            for entry in entries:
                await copy.write_row((event_id, entry.bib, entry.name))


class StartLists:
    """Start lists as photos are read with them; the one used last is kept while it is current."""

    def __init__(self) -> None:
        self._kept: tuple[tuple[int, int], StartList | None] | None = None

    async def load(
        self, connection: AsyncConnection, event_id: int, version: int
    ) -> StartList | None:
        """The event's start list, of this version or newer; None when it has none."""
        if self._kept is None or self._kept[0] != (event_id, version):
            cursor = await connection.execute(
                "select bib from startlist_entry where event_id = %s", [event_id]
            )
            bibs = [row[0] for row in await cursor.fetchall()]
            self._kept = (event_id, version), StartList(bibs) if bibs else None
        return self._kept[1]
