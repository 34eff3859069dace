"""Coroutines that tests wait for."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

T = TypeVar("T")


def run(work: Coroutine[Any, Any, T]) -> T:
    """What the coroutine returns, awaited in a thread of its own.

    Not with asyncio.run in this thread: where a browser has been started in the same process,
    Playwright's loop counts as running in it, and which tests share a process differs by run.
    """
    with ThreadPoolExecutor(1) as executor:
        return executor.submit(asyncio.run, work).result()  # noqa: TID251
