"""What an organiser decides about an event's gallery: who may open it, what may be downloaded, how
it looks. An event that nobody decided about has the defaults.
"""

from __future__ import annotations

import asyncio
import re
import secrets
from dataclasses import dataclass, replace

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from psycopg import AsyncConnection
from psycopg.rows import class_row

from fotofinish.errors import InvalidValue

ACCESS = ("off", "public", "link", "code")
DOWNLOADS = ("originals", "previews", "off")
MAX_BRAND = 80
MIN_CODE, MAX_CODE = 6, 40
COLOUR = re.compile(r"#[0-9a-f]{6}")
CODE_UNUSED = (
    "An access code is written, but the gallery is not to ask for it. "
    "Choose “Who knows a code”, or leave the code empty."
)


@dataclass(frozen=True, slots=True)
class GalleryChoices:
    """The choices. `link_token` opens the gallery where access is "link"; `code_hash` (argon2id)
    belongs to access "code"; `brand_colour` is `#rrggbb`, empty for our own; `has_logo` says that
    there is a picture of kind "brand"."""

    access: str = "public"
    link_token: str | None = None
    code_hash: str | None = None
    downloads: str = "originals"
    indexed: bool = False
    brand_name: str = ""
    brand_colour: str = ""
    has_logo: bool = False


DEFAULTS = GalleryChoices()
COLUMNS = "access, link_token, code_hash, downloads, indexed, brand_name, brand_colour"


async def find_choices(connection: AsyncConnection, event_id: int) -> GalleryChoices:
    """The choices of an event; the defaults where none were made."""
    async with connection.cursor(row_factory=class_row(GalleryChoices)) as cursor:
        await cursor.execute(
            f"""select {COLUMNS}, exists (select 1 from event_picture picture
                       where picture.event_id = asked.id and kind = 'brand') as has_logo
                from (values (%s::bigint)) as asked (id)
                left join event_gallery on event_gallery.event_id = asked.id""",  # noqa: S608
            [event_id],
        )
        (found,) = await cursor.fetchall()
    if not found.access:  # nobody decided yet; a logo may be there all the same
        return replace(DEFAULTS, has_logo=found.has_logo)
    return found


async def save_choices(
    connection: AsyncConnection, event_id: int, wanted: GalleryChoices, *, code: str = ""
) -> GalleryChoices:
    """Write the choices; a new `code` is hashed, an empty one leaves the old one in force.

    The link's token stays, and is made when access is "link" and there is none. Raises
    InvalidValue.
    """
    checked, code_hash = _checked(wanted), None
    if code:
        if checked.access != "code":
            raise InvalidValue(CODE_UNUSED)
        if not MIN_CODE <= len(code.strip()) <= MAX_CODE:
            raise InvalidValue(f"An access code has {MIN_CODE} to {MAX_CODE} characters.")
        code_hash = await asyncio.to_thread(PasswordHasher().hash, plain_code(code))
    elif checked.access == "code" and checked.code_hash is None:
        raise InvalidValue("Choose an access code.")
    token = _new_token() if checked.access == "link" else None
    return await _write(
        connection,
        event_id,
        replace(checked, link_token=token, code_hash=code_hash),
        """access = excluded.access,
           link_token = coalesce(event_gallery.link_token, excluded.link_token),
           code_hash = coalesce(excluded.code_hash, event_gallery.code_hash),
           downloads = excluded.downloads, indexed = excluded.indexed,
           brand_name = excluded.brand_name, brand_colour = excluded.brand_colour""",
    )


async def renew_link(connection: AsyncConnection, event_id: int) -> None:
    """Make another token of the link; the gallery is closed to those who had the old one."""
    await _write(
        connection,
        event_id,
        replace(DEFAULTS, link_token=_new_token()),
        "link_token = excluded.link_token",
    )


async def _write(
    connection: AsyncConnection, event_id: int, choices: GalleryChoices, change: str
) -> GalleryChoices:
    """Write the choices of an event that has none, or `change` those it has; as they are now."""
    async with connection.cursor(row_factory=class_row(GalleryChoices)) as cursor:
        await cursor.execute(
            f"""insert into event_gallery (event_id, {COLUMNS})
                values (%s, %s, %s, %s, %s, %s, %s, %s)
                on conflict (event_id) do update set {change}
                returning {COLUMNS}""",  # noqa: S608 (constants)
            [
                event_id,
                choices.access,
                choices.link_token,
                choices.code_hash,
                choices.downloads,
                choices.indexed,
                choices.brand_name,
                choices.brand_colour,
            ],
        )
        (written,) = await cursor.fetchall()
    return replace(written, has_logo=choices.has_logo)


def plain_code(code: str) -> str:
    """An access code as it is compared: phones add capitals and spaces."""
    return code.strip().casefold()


def code_fits(code_hash: str, code: str) -> bool:
    """Whether this is the access code; takes some 50 ms on purpose (argon2id)."""
    try:
        return PasswordHasher().verify(code_hash, plain_code(code))
    except (VerificationError, InvalidHashError):
        return False


def _new_token() -> str:
    """A token that nobody guesses."""
    return secrets.token_urlsafe(16)


def _checked(wanted: GalleryChoices) -> GalleryChoices:
    if wanted.access not in ACCESS:
        raise InvalidValue(f"Access is one of {', '.join(ACCESS)}.")
    if wanted.downloads not in DOWNLOADS:
        raise InvalidValue(f"Downloads are one of {', '.join(DOWNLOADS)}.")
    name, colour = wanted.brand_name.strip(), wanted.brand_colour.strip().lower()
    if len(name) > MAX_BRAND or not name.isprintable():
        raise InvalidValue(f"The name has at most {MAX_BRAND} characters, all on one line.")
    if colour and not COLOUR.fullmatch(colour):
        raise InvalidValue("The colour is written like #0b6b5d.")
    return replace(wanted, brand_name=name, brand_colour=colour)
