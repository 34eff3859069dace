"""How many requests a key may make: a token bucket a key and kind of request, in PostgreSQL.

All server processes draw from the same bucket. So that the busiest call does not write a row each
time, a process draws a twentieth of a second's tokens ahead, never more than there are: together
they let through what the rate allows and not one more.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from psycopg.errors import ForeignKeyViolation

from fotofinish.database.connection import Pool
from fotofinish.errors import NotAllowed, RateExceeded

Kind = Literal["request", "search"]

AHEAD = 0.05  # seconds' worth of tokens that a process may hold
KEPT = 0.5  # seconds after which tokens that nobody wanted go back
MOST_SHARES = 10_000

# the row's lock is held from reading the tokens to writing them; `granted` is what was drawn
DRAW = """
insert into rate_bucket as bucket (key_id, kind, tokens, granted, filled_at)
values (%(key)s, %(kind)s, %(burst)s - least(%(asked)s, %(burst)s), least(%(asked)s, %(burst)s),
        clock_timestamp())
on conflict (key_id, kind) do update
set (tokens, granted, filled_at) = (
  select full_to - drawn, drawn, at
  from (select clock_timestamp() as at) clock,
       lateral (select least(%(burst)s::float8, bucket.tokens + %(back)s
                  + %(rate)s * greatest(0, extract(epoch from at - bucket.filled_at)))) f (full_to),
       lateral (select least(%(asked)s, floor(full_to))) d (drawn))
returning granted, tokens
"""


@dataclass(frozen=True, slots=True)
class Rate:
    """Tokens a second, and how many may gather; `per_second` 0 stands for no limit."""

    per_second: float
    burst: int


@dataclass(slots=True)
class _Share:
    """What this process has drawn of one bucket."""

    tokens: float = 0
    drawn_at: float = 0
    empty_until: float = 0
    waiting: int = 0
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    def take(self) -> bool:
        if self.tokens < 1 or time.monotonic() > self.drawn_at + KEPT:
            return False
        self.tokens -= 1
        return True


class RateLimiter:
    """Lets a key's requests through, or says when to come back."""

    def __init__(self, pool: Pool, rates: Mapping[Kind, Rate]) -> None:
        self._pool = pool
        self._rates = rates
        self._shares: dict[tuple[int, Kind], _Share] = {}

    async def spend(self, key_id: int, kind: Kind) -> None:
        """Take one token of the key; raises RateExceeded when there is none, NotAllowed when the
        key was deleted meanwhile."""
        rate = self._rates[kind]
        if not rate.per_second:
            return
        share = self._share(key_id, kind)
        if share.take():
            return
        share.waiting += 1
        try:
            async with share.turn:
                if share.take():
                    return
                if time.monotonic() >= share.empty_until:
                    await self._draw(share, key_id, kind, rate)
                    if share.take():
                        return
                raise RateExceeded(share.empty_until - time.monotonic())
        finally:
            share.waiting -= 1

    async def _draw(self, share: _Share, key_id: int, kind: Kind, rate: Rate) -> None:
        back, share.tokens = share.tokens, 0  # gone if the database fails: never given twice
        values = {
            "key": key_id,
            "kind": kind,
            "burst": rate.burst,
            "rate": rate.per_second,
            "asked": share.waiting + math.floor(rate.per_second * AHEAD),
            "back": back,
        }
        async with self._pool.connection() as connection:
            try:
                cursor = await connection.execute(DRAW, values)
            except ForeignKeyViolation:
                raise NotAllowed("This API key was deleted.") from None
            row = await cursor.fetchone()
        assert row is not None
        share.tokens, left = row
        share.drawn_at = time.monotonic()
        if share.tokens < 1:
            share.empty_until = share.drawn_at + (1 - left) / rate.per_second

    def _share(self, key_id: int, kind: Kind) -> _Share:
        if len(self._shares) > MOST_SHARES:
            idle = time.monotonic() - KEPT
            self._shares = {
                name: share
                for name, share in self._shares.items()
                if share.waiting or share.drawn_at > idle
            }
        return self._shares.setdefault((key_id, kind), _Share())
