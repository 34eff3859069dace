"""Events: races of an organisation, each searched alone."""

from __future__ import annotations

import re
import secrets
import unicodedata
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo, available_timezones

from psycopg import AsyncConnection
from psycopg.errors import ForeignKeyViolation, NumericValueOutOfRange, UniqueViolation
from psycopg.rows import class_row

from fotofinish.errors import Conflict, InvalidValue, NotFound
from fotofinish.events.gone import refuse_id_of_gone_event
from fotofinish.faces.matching import lock_for_selfie
from fotofinish.faces.selfies import shorten_searches
from fotofinish.organisations.organisations import check_id


@dataclass(frozen=True, slots=True)
class Event:
    """One race. `starts_at` is the wall clock of `time_zone` (an IANA name)."""

    id: int
    org_id: int
    slug: str
    name: str
    starts_at: datetime
    time_zone: str
    status: str
    event_enabled: bool
    bib_search: bool
    selfie_search: bool
    name_search: bool
    match_threshold: float | None
    link_faces: bool
    retention_days: int | None


STATUSES = ("draft", "active", "archived")
MAX_NAME = 200
COLUMNS = """id, org_id, slug, name, starts_at, time_zone, status, event_enabled, bib_search,
    selfie_search, name_search, match_threshold, link_faces, retention_days"""
SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
MAX_SLUG = 80
YEARS = (1900, 2200)
THRESHOLDS = (0.2, 0.8)
LOCK_CLASS = 0x666F726D  # "form": the first of the two numbers of our advisory locks
# letters that no decomposition (NFKD) brings to ASCII, as they are spelt without them
SPELT = str.maketrans(
    {"ø": "o", "æ": "ae", "œ": "oe", "ł": "l", "đ": "d", "þ": "th", "ð": "d", "ı": "i"}
)


async def create_event(
    connection: AsyncConnection,
    org_id: int,
    name: str,
    *,
    id: int | None = None,
    starts_at: datetime | None = None,
    time_zone: str = "UTC",
    bib_search: bool = True,
    selfie_search: bool = True,
) -> Event:
    """Make an event, with the id asked for or the next free one; its slug comes from its name.

    Raises NotFound for an unknown organisation, Conflict when the id is taken, or the name
    by several at once, InvalidValue.
    """
    name = _check(name, time_zone)
    check_id(id)
    if starts_at is None:
        starts_at = datetime.now(ZoneInfo(time_zone)).replace(microsecond=0, tzinfo=None)
    _check_start(starts_at)
    if starts_at.tzinfo is not None:
        starts_at = starts_at.astimezone(ZoneInfo(time_zone)).replace(tzinfo=None)
    values = {
        "id": id,
        "org": org_id,
        "slug": slugify(name),
        "suffix": secrets.token_hex(4),
        "name": name,
        "starts_at": starts_at,
        "zone": time_zone,
        "bib": bib_search,
        "selfie": selfie_search,
    }
    try:
        try:
            return await _insert(connection, values)
        except UniqueViolation as error:
            if error.diag.constraint_name != "uq_event_slug":
                raise
            # made at the same moment as another of its name, which is to be seen by now
            return await _insert(connection, values)
    except UniqueViolation as error:
        if error.diag.constraint_name == "uq_event_slug":
            raise Conflict("Others make events of this name right now. Try once more.") from None
        raise Conflict(f"Event {id} exists already; choose another --id.") from None
    except (ForeignKeyViolation, NumericValueOutOfRange):
        raise NotFound(
            f"There is no organisation {org_id}. 'fotofinish org create NAME' makes one."
        ) from None


async def _insert(connection: AsyncConnection, values: Mapping[str, object]) -> Event:
    async with connection.transaction(), connection.cursor(row_factory=class_row(Event)) as cursor:
        await cursor.execute(
            f"""with given as (select coalesce(%(id)s,
                    nextval(pg_get_serial_sequence('event', 'id'))) as id)
                insert into event (id, org_id, slug, name, starts_at, time_zone, bib_search,
                                   selfie_search)
                select given.id, %(org)s,
                       (select slug
                        from unnest(array[%(slug)s, %(slug)s || '-' || given.id,
                                          %(slug)s || '-' || %(suffix)s])
                             with ordinality as wish (slug, place)
                        where not exists (select 1 from event where event.slug = wish.slug)
                        order by place limit 1),
                       %(name)s, %(starts_at)s, %(zone)s, %(bib)s, %(selfie)s
                from given
                returning {COLUMNS}""",  # noqa: S608 (a constant of this module)
            values,
        )
        made = await cursor.fetchone()
        assert made is not None
        await refuse_id_of_gone_event(connection, made.id)
        if values["id"] is not None:
            # never back: what is stored lies under an event's id
            await cursor.execute(
                """select setval('event_id_seq',
                                 greatest((select max(id) from event), last_value))
                   from event_id_seq"""
            )
    return made


async def find_event(connection: AsyncConnection, event_id: int) -> Event:
    """The event with this id, for the operator's own commands; raises NotFound."""
    async with connection.cursor(row_factory=class_row(Event)) as cursor:
        await cursor.execute(
            f"select {COLUMNS} from event where id = %s",  # noqa: S608
            [event_id],
        )
        found = await cursor.fetchone()
    if found is None:
        raise NotFound(
            f"There is no event {event_id}. 'fotofinish event create ORG_ID NAME' makes one."
        )
    return found


async def find_own_event(connection: AsyncConnection, account_id: UUID, event_id: int) -> Event:
    """An event of an organisation that this account works for; raises NotFound for any other."""
    async with connection.cursor(row_factory=class_row(Event)) as cursor:
        await cursor.execute(
            f"""select {COLUMNS} from event where id = %s and org_id in
                    (select org_id from membership where account_id = %s)""",  # noqa: S608
            [event_id, account_id],
        )
        found = await cursor.fetchone()
    if found is None:
        raise NotFound("There is no such event.")
    return found


async def lock_choices(connection: AsyncConnection, event_id: int) -> None:
    """Keep others from saving what they chose for the event until this transaction has ended.

    Before any other lock: who compares what is there with what somebody saw, and then writes.
    """
    await connection.execute(
        "select pg_advisory_xact_lock(%s, hashint8(%s))", [LOCK_CLASS, event_id]
    )


async def update_event(connection: AsyncConnection, event: Event, *, most_days: int) -> None:
    """Make the event what this value says, in all that an operator may change: `name_search` stays.

    `starts_at` is the wall clock of its zone. Links to the gallery carry the slug. A threshold of
    None stands for the recommended one, a retention of None for that of the settings, `most_days`,
    which no event exceeds. A shorter retention holds for searches of earlier too. Raises NotFound
    for an event that is not there, or not this organisation's, InvalidValue, Conflict for a slug
    that is taken.
    """
    event = replace(event, name=_check(event.name, event.time_zone))
    _check_slug(event.slug)
    _check_start(event.starts_at)
    lowest, highest = THRESHOLDS
    if event.match_threshold is not None and not lowest <= event.match_threshold <= highest:
        raise InvalidValue(f"The limit for selfies lies between {lowest:.0%} and {highest:.0%}.")
    if event.retention_days is not None and not 1 <= event.retention_days <= most_days:
        raise InvalidValue(f"Selfie searches are kept for 1 to {most_days} days on this server.")
    if event.status not in STATUSES:
        raise InvalidValue(f"A status is one of {', '.join(STATUSES)}.")
    try:
        async with connection.transaction():
            await lock_for_selfie(connection, event.id)  # one that is linked sees the switch
            cursor = await connection.execute(
                """update event
                   set name = %(name)s, starts_at = %(starts_at)s, time_zone = %(time_zone)s,
                       status = %(status)s, event_enabled = %(event_enabled)s,
                       bib_search = %(bib_search)s, selfie_search = %(selfie_search)s,
                       link_faces = %(link_faces)s, slug = %(slug)s,
                       match_threshold = %(match_threshold)s, retention_days = %(retention_days)s
                   where id = %(id)s and org_id = %(org_id)s""",
                asdict(event),
            )
            if cursor.rowcount == 0:
                raise NotFound("There is no such event.")
            await shorten_searches(connection, event.id, event.retention_days or most_days)
    except UniqueViolation:
        raise Conflict(
            f"Another event has the address {event.slug}; choose a different one."
        ) from None


async def list_events(
    connection: AsyncConnection, org_id: int, *, offset: int, limit: int
) -> tuple[int, list[Event]]:
    """How many events the organisation has, and a page of them, the latest first."""
    cursor = await connection.execute("select count(*) from event where org_id = %s", [org_id])
    row = await cursor.fetchone()
    assert row is not None
    async with connection.cursor(row_factory=class_row(Event)) as page:
        await page.execute(
            f"""select {COLUMNS} from event where org_id = %s
                order by starts_at desc, id desc offset %s limit %s""",  # noqa: S608
            [org_id, offset, limit],
        )
        return row[0], await page.fetchall()


def _check(name: str, time_zone: str) -> str:
    """The name without white space around it, if both do; raises InvalidValue."""
    name = name.strip()
    if not name:
        raise InvalidValue("An event needs a name.")
    if len(name) > MAX_NAME or any(character < " " for character in name):
        raise InvalidValue(f"A name has at most {MAX_NAME} characters, all on one line.")
    if time_zone not in available_timezones():
        raise InvalidValue(f"{time_zone!r} is no time zone; write one like Europe/Berlin.")
    return name


def _check_start(starts_at: datetime) -> None:
    if not YEARS[0] <= starts_at.year <= YEARS[1]:
        raise InvalidValue(f"An event starts between the years {YEARS[0]} and {YEARS[1]}.")


def _check_slug(slug: str) -> None:
    if not SLUG.fullmatch(slug) or len(slug) > MAX_SLUG:
        raise InvalidValue(
            f"An address has at most {MAX_SLUG} small letters a to z, digits, and single hyphens "
            "between them."
        )


def slugify(name: str) -> str:
    """The name as a part of an address: lower-case letters, digits and hyphens."""
    # folded, ß is ss already
    spelt = unicodedata.normalize("NFKD", name.casefold()).translate(SPELT)
    ascii_name = spelt.encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", ascii_name).strip("-")[:60] or "event"
