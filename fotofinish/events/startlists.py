"""Start lists: the bib numbers of who takes part, and their names if given."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass

from psycopg import AsyncConnection

from fotofinish.bibs.numbers import MAX_BIB_LENGTH, normalise_bib
from fotofinish.errors import InvalidValue

BIB_HEADERS = {"bib", "number", "no", "nr", "startnummer", "start number", "bib number", "dorsal"}
NAME_HEADERS = {"name", "full name", "participant", "runner"}


@dataclass(frozen=True, slots=True)
class Entry:
    """One participant; `bib` in its normal form."""

    bib: str
    name: str | None


def parse_startlist(text: str) -> list[Entry]:
    """The entries of a CSV (comma, semicolon or tab; with or without a header line).

    Without a header the first column is the bib, the second the name. Raises InvalidValue naming
    the row that does not fit.
    """
    text = text.lstrip("\ufeff")
    try:
        dialect: type[csv.Dialect] = csv.Sniffer().sniff(text[:4096], delimiters=",;\t")
    except csv.Error:
        dialect = csv.excel
    rows = [row for row in csv.reader(io.StringIO(text), dialect) if any(map(str.strip, row))]
    if not rows:
        raise InvalidValue("The start list is empty.")
    header = [cell.strip().lower() for cell in rows[0]]
    bib_at = next((i for i, cell in enumerate(header) if cell in BIB_HEADERS), None)
    name_at = next((i for i, cell in enumerate(header) if cell in NAME_HEADERS), None)
    if bib_at is None:
        bib_at, name_at, first = 0, (1 if len(header) > 1 else None), 0
    else:
        first = 1
    entries: dict[str, Entry] = {}
    for number, row in enumerate(rows[first:], start=first + 1):
        bib = normalise_bib(row[bib_at]) if bib_at < len(row) else ""
        if not bib or len(bib) > MAX_BIB_LENGTH:
            raise InvalidValue(f"Row {number} has no bib number of 1 to {MAX_BIB_LENGTH} signs.")
        name = row[name_at].strip() if name_at is not None and name_at < len(row) else ""
        entries[bib] = Entry(bib, name or None)
    return list(entries.values())


async def replace_startlist(
    connection: AsyncConnection, event_id: int, entries: list[Entry]
) -> None:
    """Make these the event's start list, whole, in one transaction."""
    async with connection.transaction():
        await connection.execute("delete from startlist_entry where event_id = %s", [event_id])
        async with (
            connection.cursor() as cursor,
            cursor.copy("copy startlist_entry (event_id, bib, name) from stdin") as copy,
        ):
            for entry in entries:
                await copy.write_row((event_id, entry.bib, entry.name))


async def load_bibs(connection: AsyncConnection, event_id: int) -> frozenset[str] | None:
    """The bibs on the event's start list; None when it has none."""
    cursor = await connection.execute(
        "select bib from startlist_entry where event_id = %s", [event_id]
    )
    return frozenset(row[0] for row in await cursor.fetchall()) or None
