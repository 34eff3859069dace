"""Attempts to guess passwords, counted in PostgreSQL: together by all servers, through restarts.

Three counts stand in a stranger's way: of one address on the network and one account, of one
address on the network, and of one account from everywhere. The last one is what a spread-out
attack meets, and it must not shut the owner out: a browser in which the owner signed in before
holds a token of its own and has its own count instead (OWASP: "device cookies").

Names are kept as keyed hashes: neither e-mail nor network addresses can be read from the table.
"""

from __future__ import annotations

import hmac
import ipaddress
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from psycopg import AsyncConnection

MINUTE = 60
DEVICE_PURPOSE = b"fotofinish: a browser that signed in, version 1"


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `most` attempts in `seconds`, which run from the first of them."""

    kind: str
    most: int
    seconds: int


PAIR = Limit("pair", 5, 15 * MINUTE)
NETWORK = Limit("network", 100, 15 * MINUTE)
EVERYWHERE = Limit("account", 50, 60 * MINUTE)
DEVICE = Limit("device", 10, 15 * MINUTE)


@dataclass(frozen=True, slots=True)
class Guesser:
    """Who tries: the counts that apply, narrowest first, and whose they are."""

    counts: tuple[tuple[Limit, bytes], ...]


def guesser(
    signing_key: bytes, email: str, address: str, *, account: UUID | None, device: str
) -> Guesser:
    """The counts for an attempt from a network address, with a browser's token or an empty one."""

    def name(limit: Limit, who: str) -> bytes:
        return hmac.digest(signing_key, f"{limit.kind}\0{who}".encode("utf-8", "replace"), "sha256")

    if account is not None and device_fits(signing_key, account, device):
        return Guesser(((DEVICE, name(DEVICE, device)),))
    network = network_of(address)
    pairs = ((PAIR, f"{network} {email}"), (NETWORK, network), (EVERYWHERE, email))
    return Guesser(tuple((limit, name(limit, who)) for limit, who in pairs))


def insider(signing_key: bytes, account: UUID) -> Guesser:
    """The count for somebody in a session who is asked for the password again."""
    name = hmac.digest(signing_key, b"insider\0" + account.bytes, "sha256")
    return Guesser(((DEVICE, name),))


async def take_attempt(connection: AsyncConnection, who: Guesser) -> bool:
    """Count an attempt before it is looked at (many at once are many); False: too many.

    What one count refuses does not reach the next: a single address cannot use up an account's.
    """
    for limit, name in who.counts:
        cursor = await connection.execute(
            """insert into sign_in_attempt as kept (name, attempts, ends_at)
               values (%(name)s, 1, now() + make_interval(secs => %(seconds)s))
               on conflict (name) do update
               set attempts = case when kept.ends_at <= now() then 1
                                   else least(kept.attempts, %(most)s) + 1 end,
                   ends_at = case when kept.ends_at <= now() then excluded.ends_at
                                  else kept.ends_at end
               returning attempts""",
            {"name": name, "seconds": limit.seconds, "most": limit.most},
        )
        row = await cursor.fetchone()
        assert row is not None
        if row[0] > limit.most:
            return False
    return True


async def give_back(connection: AsyncConnection, who: Guesser) -> None:
    """After a success: the narrowest count begins anew, the others forget this attempt."""
    names: Sequence[bytes] = [name for _, name in who.counts]
    await connection.execute("delete from sign_in_attempt where name = %s", [names[0]])
    await connection.execute(
        "update sign_in_attempt set attempts = attempts - 1 where name = any(%s) and attempts > 0",
        [list(names[1:])],
    )
    await connection.execute("delete from sign_in_attempt where ends_at <= now()")


def network_of(address: str) -> str:
    """The address that counts as one: whole for IPv4, the customer's network (/64) for IPv6."""
    return _prefix(address, 64)


def site_of(address: str) -> str:
    """The same, but all networks that one customer may have (/48) for IPv6."""
    return _prefix(address, 48)


def _prefix(address: str, bits: int) -> str:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
        return str(ipaddress.ip_network((parsed, bits), strict=False))
    return str(parsed)


def device_token(signing_key: bytes, account: UUID) -> str:
    """A token for a browser in which somebody has just signed in."""
    nonce = secrets.token_hex(16)
    return f"{nonce}.{_device_mac(signing_key, account, nonce)}"


def device_fits(signing_key: bytes, account: UUID, token: str) -> bool:
    """Whether this browser has signed in to this account before."""
    nonce, _, mac = token.partition(".")
    expected = _device_mac(signing_key, account, nonce).encode()
    return hmac.compare_digest(expected, mac.encode("utf-8", "replace"))


def _device_mac(signing_key: bytes, account: UUID, nonce: str) -> str:
    text = account.bytes + nonce.encode("utf-8", "replace")
    return hmac.digest(signing_key, DEVICE_PURPOSE + text, "sha256").hex()
