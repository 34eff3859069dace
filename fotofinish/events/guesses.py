"""How many searches may still be tried in an event: token buckets in PostgreSQL, each with a name.

All server processes draw from the same buckets. So that not every search writes a row, a process
draws a share of what is left ahead and gives back what nobody wanted: together they let through
what the rate allows and not one more. Whose a bucket is, is the business of who asks.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from psycopg import AsyncConnection

from fotofinish.database.connection import Pool
from fotofinish.errors import RateExceeded
from fotofinish.organisations.rates import Rate

KEPT = 10.0  # seconds after which tokens that nobody wanted go back
LONGEST_WAIT = 4.0  # seconds; so much may be drawn on credit
MOST_SHARES = 50_000

# the row's lock is held from reading the tokens to writing them; `granted` is what was drawn: what
# is asked for, on credit if need be, and a share of what is left then; or nothing
DRAW = """
insert into guess_bucket as bucket (event_id, name, tokens, granted, filled_at)
values (%(event)s, %(name)s, %(burst)s - %(first)s, %(first)s, clock_timestamp())
on conflict (event_id, name) do update
set (tokens, granted, filled_at) = (
  select full_to - drawn, drawn, at
  from (select clock_timestamp() as at) clock,
       lateral (select least(%(burst)s::float8, bucket.tokens + %(back)s
                  + %(rate)s * greatest(0, extract(epoch from at - bucket.filled_at)))) f (full_to),
       lateral (select case when full_to + %(credit)s < %(cost)s then 0
                  else %(cost)s + floor(greatest(0, full_to - %(cost)s) * %(ahead)s) end) d (drawn))
returning granted, tokens
"""


@dataclass(frozen=True, slots=True)
class Purse:
    """A bucket by its name; `ahead` is the share of its tokens that a process may take along."""

    name: bytes
    rate: Rate
    ahead: float


@dataclass(slots=True)
class _Share:
    """What this process has drawn of one bucket; `left` there when it last refused."""

    tokens: float = 0
    drawn_at: float = -math.inf
    left: float = math.inf
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    def holds(self, cost: int) -> bool:
        return self.tokens >= cost and time.monotonic() < self.drawn_at + KEPT

    def refuses_for(self, rate: Rate, cost: int) -> float:
        """Seconds for which there will be nothing to draw for this cost, as far as we know."""
        there = self.left + rate.per_second * (time.monotonic() - self.drawn_at)
        return max(0.0, (cost - there) / rate.per_second - LONGEST_WAIT)


class GuessBuckets:
    """Lets searches of an event through, slowly or at once."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._shares: dict[tuple[int, bytes], _Share] = {}

    async def spend(self, event_id: int, purses: Sequence[Purse], cost: int) -> None:
        """Take so many tokens of each, waiting if need be; raises RateExceeded when the wait would
        be too long, and what was taken of the others is kept for the next who asks."""
        taken: list[_Share] = []
        wait = 0.0
        try:
            for purse in purses:
                share = self._share(event_id, purse.name)
                wait = max(wait, await self._take(event_id, purse, share, cost))
                taken.append(share)
        except RateExceeded:
            for share in taken:
                share.tokens += cost
            raise
        await asyncio.sleep(wait)

    def give_back(self, event_id: int, purse: Purse, cost: int) -> None:
        """Let what was spent count for nothing after all."""
        self._share(event_id, purse.name).tokens += cost

    async def _take(self, event_id: int, purse: Purse, share: _Share, cost: int) -> float:
        """Take from what this process holds, or draw; says how long to wait for the debt."""
        async with share.turn:
            if share.holds(cost):
                share.tokens -= cost
                return 0.0
            wait = share.refuses_for(purse.rate, cost)
            if not wait:
                async with self._pool.connection() as connection:
                    left = await _draw(connection, event_id, purse, share, cost)
                if share.tokens >= cost:
                    share.tokens -= cost
                    return max(0.0, -left / purse.rate.per_second)
                share.left = left
                wait = share.refuses_for(purse.rate, cost)
            raise RateExceeded(wait)

    def _share(self, event_id: int, name: bytes) -> _Share:
        if len(self._shares) > MOST_SHARES:
            idle = time.monotonic() - KEPT
            self._shares = {
                key: share
                for key, share in self._shares.items()
                if share.turn.locked() or share.drawn_at > idle
            }
        return self._shares.setdefault((event_id, name), _Share())


async def forget_full_buckets(connection: AsyncConnection) -> None:
    """Delete the buckets that nobody drew from for an hour: they are full by then."""
    await connection.execute("delete from guess_bucket where filled_at < now() - interval '1 hour'")


async def _draw(
    connection: AsyncConnection, event_id: int, purse: Purse, share: _Share, cost: int
) -> float:
    """Draw into the share; gives what is left in the bucket, below 0 on credit."""
    back, share.tokens = share.tokens, 0  # gone if the database fails: never given twice
    burst, rate = purse.rate.burst, purse.rate.per_second
    values = {
        "event": event_id,
        "name": purse.name,
        "burst": burst,
        "rate": rate,
        "cost": cost,
        "credit": LONGEST_WAIT * rate,
        "ahead": purse.ahead,
        "first": cost + math.floor((burst - cost) * purse.ahead),
        "back": back,
    }
    cursor = await connection.execute(DRAW, values)
    row = await cursor.fetchone()
    assert row is not None
    share.tokens, left = row
    share.drawn_at, share.left = time.monotonic(), math.inf
    return float(left)
