"""How many passwords and access codes are compared at once, of all requests to a server process."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

AT_ONCE = 2  # argon2id holds 64 MB for each

Kept = TypeVar("Kept")


class PasswordChecks:
    """Compares what was typed with the hash that is kept; the others wait for their turn."""

    def __init__(self) -> None:
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def ask(self, fits: Callable[[Kept, str], bool], kept: Kept, typed: str) -> bool:
        """What `fits` says."""
        async with self._turns:
            # argon2id takes some 50 ms on purpose: not on the loop that serves everybody
            return await asyncio.to_thread(fits, kept, typed)
