"""A load generator in a process of its own: many connections, one request after another on each.

It does as little as it can (raw sockets, no HTTP library), so that the server is what is measured.
"""

from __future__ import annotations

import asyncio
import itertools
import multiprocessing
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import cast

import uvloop


@dataclass(frozen=True, slots=True)
class Load:
    """What came of it: requests a second, and latencies in milliseconds."""

    per_second: float
    p50: float
    p99: float


def measure(
    port: int, requests: Sequence[bytes], *, connections: int, seconds: float, warm_up: float = 2.0
) -> Load:
    """Send these requests in turn, over and over. Raises RuntimeError at an answer but 200."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(
        target=_run, args=(theirs, port, list(requests), connections, seconds, warm_up)
    )
    process.start()
    theirs.close()
    try:
        result = ours.recv()
    finally:
        process.join()
    if isinstance(result, str):
        raise RuntimeError(result)
    times: list[float] = sorted(result)
    return Load(
        per_second=len(times) / seconds,
        p50=times[len(times) // 2] * 1000,
        p99=times[int(len(times) * 0.99)] * 1000,
    )


def _run(
    answer: Connection,
    port: int,
    requests: list[bytes],
    connections: int,
    seconds: float,
    warm_up: float,
) -> None:
    try:
        uvloop.run(_send_all(answer, port, requests, connections, seconds, warm_up))
    except Exception as error:
        answer.send(f"the load generator stopped: {error!r}")


async def _send_all(
    answer: Connection,
    port: int,
    requests: list[bytes],
    connections: int,
    seconds: float,
    warm_up: float,
) -> None:
    supply = itertools.cycle(requests)
    loop = asyncio.get_running_loop()
    clients = []
    for _ in range(connections):
        _, client = await loop.create_connection(lambda: _Client(supply), "127.0.0.1", port)
        clients.append(client)
    for client in clients:
        client.send()
    await asyncio.sleep(warm_up)
    for client in clients:
        client.times.clear()
    await asyncio.sleep(seconds)
    times = [time for client in clients for time in client.times]
    faults = [client.fault for client in clients if client.fault]
    answer.send(faults[0] if faults else times)


class _Client(asyncio.Protocol):
    def __init__(self, supply: Iterator[bytes]) -> None:
        self.times: list[float] = []
        self.fault: str | None = None
        self._supply = supply
        self._missing = -1
        self._head = b""
        self._sent = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.WriteTransport, transport)

    def send(self) -> None:
        self._missing, self._head = -1, b""
        self._sent = time.perf_counter()
        self._transport.write(next(self._supply))

    def data_received(self, data: bytes) -> None:
        if self._missing < 0:
            self._head += data
            head, end, body = self._head.partition(b"\r\n\r\n")
            if not end:
                return
            if b" 200 " not in head[:16]:
                self.fault = f"answered {self._head[:600]!r}"
                self._transport.close()
                return
            length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
            self._missing = int(length) - len(body)
        else:
            self._missing -= len(data)
        if self._missing == 0:
            self.times.append(time.perf_counter() - self._sent)
            self.send()

    def connection_lost(self, error: Exception | None) -> None:
        self.fault = self.fault or "closed the connection"
