"""Who may reach an event with an API key: decided by one indexed query."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from psycopg import AsyncConnection


@dataclass(frozen=True, slots=True)
class Claim:
    """What a request says: the digest of its key, and whom and what it wants to reach.

    An id is None when what was written can be no id.
    """

    key_digest: bytes
    org_id: int | None
    event_id: int | None


@dataclass(frozen=True, slots=True)
class Access:
    """What a key in force reaches: its organisation, and the event asked for if it is that one's.

    `unnoted` says that the key's last use was noted more than a minute ago. `event_id` and all
    that follows is None when the organisation has no such event.
    """

    key_id: int
    org_id: int
    unnoted: bool
    event_id: int | None
    name: str | None
    slug: str | None
    starts_at: datetime | None
    status: str | None
    event_enabled: bool | None
    bib_search: bool | None
    selfie_search: bool | None
    name_search: bool | None
    match_threshold: float | None
    retention_days: int | None

    @property
    def reached_event(self) -> int:
        """The event's id, where it is known that there is one."""
        assert self.event_id is not None
        return self.event_id


# one row for a key in force, none for any other; for `with access as (…)` in other queries too
ACCESS = """
select k.id as key_id, k.org_id,
       coalesce(k.last_used_at < now() - interval '1 minute', true) as unnoted,
       e.id as event_id, e.name, e.slug, e.starts_at, e.status, e.event_enabled, e.bib_search,
       e.selfie_search, e.name_search, e.match_threshold, e.retention_days
from api_key k
left join event e on e.id = %(event)s::bigint and e.org_id = k.org_id
where k.digest = %(key)s and k.active
"""


def access_values(claim: Claim) -> dict[str, object]:
    """The parameters of `ACCESS`, and `org`."""
    return {"key": claim.key_digest, "org": claim.org_id, "event": claim.event_id}


async def find_access(connection: AsyncConnection, claim: Claim) -> Access | None:
    """What the key reaches; None when it is unknown or switched off."""
    cursor = await connection.execute(ACCESS, access_values(claim), prepare=True, binary=True)
    row = await cursor.fetchone()
    return None if row is None else Access(*row)


async def note_use(connection: AsyncConnection, key_id: int) -> None:
    """Write down that the key was used, at most once a minute."""
    await connection.execute(
        """update api_key set last_used_at = now()
           where id = %s
             and coalesce(last_used_at < now() - interval '1 minute', true)""",
        [key_id],
    )
