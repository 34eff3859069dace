"""The mark on an event's previews: what it is, and how it is kept. `marking.py` draws it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from procrastinate import App
from psycopg import AsyncConnection
from psycopg.rows import class_row

from fotofinish.errors import InvalidValue
from fotofinish.photos.lettering import unknown_signs
from fotofinish.queue import defer_previews

KINDS = ("none", "text", "logo")
POSITIONS = (
    "top-left", "top", "top-right", "left", "middle", "right",
    "bottom-left", "bottom", "bottom-right",
)  # fmt: skip
MAX_TEXT = 60


@dataclass(frozen=True, slots=True)
class Watermark:
    """`size` is the mark's width as a share of the photo's (0.05 to 1), `opacity` 0.05 to 1.

    `version` grows with each change; `logo` is a PNG for kind "logo".
    """

    kind: str = "none"
    text: str = ""
    position: str = "bottom-right"
    size: float = 0.3
    opacity: float = 0.6
    tiled: bool = False
    version: int = 0
    logo: bytes | None = None


NONE = Watermark()
COLUMNS = "kind, text, position, size, opacity, tiled, version"


async def find_watermark(connection: AsyncConnection, event_id: int) -> Watermark:
    """The event's mark, with its logo."""
    async with connection.cursor(row_factory=class_row(Watermark)) as cursor:
        await cursor.execute(
            f"""select {COLUMNS},
                       case when kind = 'logo' then (select png from event_picture picture
                            where picture.event_id = event_watermark.event_id
                              and picture.kind = 'watermark') end as logo
                from event_watermark where event_id = %s""",  # noqa: S608 (a constant)
            [event_id],
        )
        return await cursor.fetchone() or NONE


async def save_watermark(
    connection: AsyncConnection, queue: App, event_id: int, wanted: Watermark
) -> None:
    """Write the mark and have all previews drawn again; raises InvalidValue."""
    mark = checked(wanted)
    if mark.kind == "logo" and mark.logo is None:
        raise InvalidValue("Choose a picture for the logo first.")
    async with connection.transaction():
        await connection.execute(
            f"""insert into event_watermark (event_id, {COLUMNS})
                values (%s, %s, %s, %s, %s, %s, %s, 1)
                on conflict (event_id) do update set
                  kind = excluded.kind, text = excluded.text, position = excluded.position,
                  size = excluded.size, opacity = excluded.opacity, tiled = excluded.tiled,
                  version = event_watermark.version + 1""",  # noqa: S608
            [event_id, mark.kind, mark.text, mark.position, mark.size, mark.opacity, mark.tiled],
        )
        await defer_previews(queue, connection, event_id)


async def save_picture(
    connection: AsyncConnection, event_id: int, kind: str, png: bytes | None
) -> None:
    """Keep a picture of the organiser's ("brand" or "watermark"), or forget it (None)."""
    if png is None:
        await connection.execute(
            "delete from event_picture where event_id = %s and kind = %s", [event_id, kind]
        )
        return
    await connection.execute(
        """insert into event_picture (event_id, kind, png) values (%s, %s, %s)
           on conflict (event_id, kind) do update set png = excluded.png""",
        [event_id, kind, png],
    )


async def find_picture(connection: AsyncConnection, event_id: int, kind: str) -> bytes | None:
    """A picture of the organiser's, as PNG."""
    cursor = await connection.execute(
        "select png from event_picture where event_id = %s and kind = %s", [event_id, kind]
    )
    row = await cursor.fetchone()
    return None if row is None else bytes(row[0])


def checked(mark: Watermark) -> Watermark:
    """The mark with its text tidied; raises InvalidValue for values that do not do."""
    text = " ".join(mark.text.split())
    if mark.kind not in KINDS or mark.position not in POSITIONS:
        raise InvalidValue("There is no such kind or position of a watermark.")
    if len(text) > MAX_TEXT or not text.isprintable():
        raise InvalidValue(f"The text has at most {MAX_TEXT} characters.")
    if mark.kind == "text" and not text:
        raise InvalidValue("Write the text of the watermark.")
    if mark.kind == "text" and (unknown := unknown_signs(text)):
        raise InvalidValue(f"Watermarks cannot be written with “{unknown}”. Use a logo for that.")
    if not (0.05 <= mark.size <= 1 and 0.05 <= mark.opacity <= 1):
        raise InvalidValue("Size and opacity go from 5 to 100 percent.")
    return replace(mark, text=text)
