"""HMAC-SHA256 for many short messages under one key (RFC 2104).

`hmac.digest` sets the key up anew for each message, which is half of its time here; this does it
once. Not for secrets longer than a block: derive a key of 32 bytes first.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256

BLOCK = 64


def hmac_sha256(key: bytes) -> Callable[[bytes], str]:
    """A function that gives a message's HMAC-SHA256 under `key` (1 to 64 bytes) in lower hex."""
    if not 0 < len(key) <= BLOCK:
        raise ValueError(f"the key must have 1 to {BLOCK} bytes")
    block = key.ljust(BLOCK, b"\0")
    inner = sha256(bytes(byte ^ 0x36 for byte in block)).copy
    outer = sha256(bytes(byte ^ 0x5C for byte in block)).copy

    def sign(message: bytes) -> str:
        first = inner()
        first.update(message)
        second = outer()
        second.update(first.digest())
        return second.hexdigest()

    return sign
