"""Reads selfies in a process of its own: an upload is hostile until it is decoded.

Parent and child speak over pipes: the child says once which model and threshold it has, then takes
one picture after another (8 bytes of length, then the bytes) and answers each with a line of JSON.
A picture that crashes the child, or keeps it busy too long, is refused, and a new child started.
The picture stays in memory and is never written anywhere.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import orjson

from fotofinish.errors import FotofinishError, InvalidRequest, ModelError, ReaderBusy
from fotofinish.settings import Settings

logger = logging.getLogger(__name__)

MOST_WAITING = 64
START_SECONDS = 120.0
READ_SECONDS = 30.0
LINE_LIMIT = 256 * 1024
CRASHED = "This picture cannot be read."
BUSY = "Too many selfies are waiting. Try again in a moment."


@dataclass(frozen=True, slots=True)
class Template:
    """What was read from a selfie: the largest face in pgvector's text form, None without one.

    `threshold` is the model's default cosine similarity from which on two faces match.
    """

    embedding: str | None
    model: str
    threshold: float


@dataclass(frozen=True, slots=True)
class _Child:
    process: asyncio.subprocess.Process
    model: str
    threshold: float


class SelfieReader:
    """One child process, started at the first need and replaced when it dies."""

    def __init__(self, settings: Settings) -> None:
        self._command = [
            sys.executable, "-m", "fotofinish.faces.reading",
            str(settings.max_pixels), str(settings.face_embedder or ""),
        ]  # fmt: skip
        self._turn = asyncio.Lock()
        self._waiting = 0
        self._child: _Child | None = None

    async def read(self, picture: bytes) -> Template:
        """The template of a selfie.

        Raises InvalidRequest when it is no picture we can read, ReaderBusy when too many wait.
        """
        if self._waiting >= MOST_WAITING:
            raise ReaderBusy(BUSY)
        self._waiting += 1
        try:
            async with self._turn:
                return await self._read(picture)
        finally:
            self._waiting -= 1

    async def warm(self) -> None:
        """Start the child before it is needed."""
        async with self._turn:
            await self._running()

    async def close(self) -> None:
        """End the child."""
        if self._child is not None:
            await _end(self._child.process)
            self._child = None

    async def _read(self, picture: bytes) -> Template:
        child = await self._running()
        try:
            async with asyncio.timeout(READ_SECONDS):
                answer = await _ask(child.process, picture)
        except BaseException as error:
            # cancelled half-way it would answer the next question with this one's answer
            await self.close()
            if isinstance(error, (OSError, EOFError, TimeoutError)):
                logger.warning("a selfie ended its reader: %s", type(error).__name__)
                raise InvalidRequest(CRASHED) from None
            raise
        if "refused" in answer:
            raise InvalidRequest(str(answer["refused"]))
        return Template(answer["embedding"], child.model, child.threshold)

    async def _running(self) -> _Child:
        if self._child is None or self._child.process.returncode is not None:
            self._child = await self._start()
        return self._child

    async def _start(self) -> _Child:
        process = await asyncio.create_subprocess_exec(
            *self._command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=LINE_LIMIT,
            start_new_session=True,  # Ctrl-C is for us; the child ends when its input does
            env={**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)},
        )
        try:
            async with asyncio.timeout(START_SECONDS):
                hello = orjson.loads(await _line(process))
        except (OSError, EOFError, TimeoutError):
            await _end(process)
            raise ModelError("The process that reads selfies does not start.") from None
        except BaseException:
            await _end(process)
            raise
        return _Child(process, hello["model"], hello["threshold"])


@asynccontextmanager
async def open_selfie_reader(settings: Settings) -> AsyncIterator[SelfieReader]:
    """A reader whose models are being loaded in the background; ended with its process."""
    reader = SelfieReader(settings)
    warming = asyncio.create_task(_warm(reader))
    try:
        yield reader
    finally:
        warming.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await warming
        await reader.close()


async def _warm(reader: SelfieReader) -> None:
    try:
        await reader.warm()
    except (FotofinishError, OSError) as error:
        logger.error("selfies cannot be read: %s", error)


async def _ask(process: asyncio.subprocess.Process, picture: bytes) -> dict[str, str | None]:
    assert process.stdin is not None
    process.stdin.write(len(picture).to_bytes(8, "big"))
    process.stdin.write(picture)
    await process.stdin.drain()
    answer: dict[str, str | None] = orjson.loads(await _line(process))
    return answer


async def _line(process: asyncio.subprocess.Process) -> bytes:
    assert process.stdout is not None
    return await process.stdout.readuntil(b"\n")


async def _end(process: asyncio.subprocess.Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.kill()
    await process.wait()
