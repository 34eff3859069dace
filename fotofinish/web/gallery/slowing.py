"""Slows whoever tries one bib number after another, and hardly anybody else.

Two buckets: a browser's own, known by a signed cookie, which is enough for a family; and one for
all of a network address in an event, wide enough for a mobile carrier's customers. Who has used up
one waits a little before the answer; who goes on regardless is told to come back later.

In this process's memory: several processes together let through as many times more.
"""

from __future__ import annotations

import asyncio
import hmac
import secrets
import time
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address

from fotofinish.errors import RateExceeded
from fotofinish.organisations.rates import Rate

OWN = Rate(0.2, 20)
STRANGERS = Rate(2, 60)
ADDRESS = Rate(5, 600)
LONGEST_WAIT = 4.0
MOST_BUCKETS = 50_000
PURPOSE = b"fotofinish: visitors of galleries, version 1"


@dataclass(slots=True)
class _Bucket:
    tokens: float
    filled_at: float

    def take(self, rate: Rate, cost: int) -> float:
        """Take tokens, on credit if need be; says how long the debt takes to be paid."""
        now = time.monotonic()
        self.tokens = min(rate.burst, self.tokens + rate.per_second * (now - self.filled_at)) - cost
        self.filled_at = now
        return max(0.0, -self.tokens / rate.per_second)

    def give_back(self, cost: int) -> None:
        self.tokens += cost


class Brake:
    """Lets searches through, slowly or at once."""

    def __init__(self) -> None:
        self._buckets: dict[tuple[int, str], _Bucket] = {}

    async def spend(self, event_id: int, address: str, visitor: str | None, cost: int = 1) -> None:
        """Wait if need be; raises RateExceeded when the wait would be too long."""
        network = network_of(address)
        drawn = [(network, ADDRESS)]
        # whoever shows no cookie shares a bucket with all others of the address who do not
        drawn.append((f"visitor {visitor}", OWN) if visitor else (f"new {network}", STRANGERS))
        buckets = [(self._bucket(event_id, name, rate), rate) for name, rate in drawn]
        wait = max(bucket.take(rate, cost) for bucket, rate in buckets)
        if wait > LONGEST_WAIT:
            for bucket, _ in buckets:
                bucket.give_back(cost)
            raise RateExceeded(wait)
        await asyncio.sleep(wait)

    def _bucket(self, event_id: int, name: str, rate: Rate) -> _Bucket:
        key = (event_id, name)
        if key not in self._buckets:
            if len(self._buckets) >= MOST_BUCKETS:
                self._buckets.pop(next(iter(self._buckets)))
            self._buckets[key] = _Bucket(rate.burst, time.monotonic())
        return self._buckets[key]


def network_of(address: str) -> str:
    """What one subscriber has: an IPv4 address, or a /64 of IPv6."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped is None:
        return str(int(parsed) >> 64)
    return str(parsed)


def sign(signing_key: bytes, value: str) -> str:
    """The value with a signature that only this server can make."""
    mark = hmac.digest(signing_key, PURPOSE + value.encode(), "sha256").hex()[:40]
    return f"{value}.{mark}"


def unsign(signing_key: bytes, signed: str | None) -> str | None:
    """The value, if we signed it."""
    if not signed or not signed.isascii():
        return None
    value = signed.rpartition(".")[0]
    return value if hmac.compare_digest(sign(signing_key, value), signed) else None


def new_visitor() -> str:
    """A name for a browser that says nothing of its owner."""
    return secrets.token_urlsafe(9)
