"""Request bodies: read within limits of size and time, and checked against a model."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import orjson
from pydantic import BaseModel, ValidationError
from starlette.requests import Request

from fotofinish.errors import InvalidRequest, InvalidValue, TooLarge, TooSlow
from fotofinish.web.services import services

MAX_JSON_BYTES = 128 * 1024
PATIENCE = 30.0  # seconds without a byte
LONGEST = 300.0  # seconds for a whole body: a selfie of 3 MB at 80 kbit/s
SLOW = "What was sent took too long to arrive. Send it again, best on a faster connection."

Model = TypeVar("Model", bound=BaseModel)


async def read_body(request: Request, most: int) -> bytes:
    """The whole body, of at most `most` bytes.

    Raises TooLarge as soon as that is known, TooSlow, and NoRoom while others send too much.
    """
    announced = request.headers.get("content-length", "")
    if announced.isdigit() and int(announced) > most:
        raise _too_large(most)
    chunks: list[bytes] = []
    size = 0
    with services(request).body_room.place() as place:
        async with in_time(PATIENCE) as limit:
            now = asyncio.get_running_loop().time
            end = now() + LONGEST
            async for chunk in request.stream():
                size += len(chunk)
                if size > most:
                    raise _too_large(most)
                place.grow_to(size)
                chunks.append(chunk)
                limit.reschedule(min(now() + PATIENCE, end))
    return b"".join(chunks)


@asynccontextmanager
async def in_time(seconds: float) -> AsyncIterator[asyncio.Timeout]:
    """Raises TooSlow where what is done inside takes longer; the limit can be put off."""
    try:
        async with asyncio.timeout(seconds) as limit:
            yield limit
    except TimeoutError:
        raise TooSlow(SLOW) from None


async def read_json(request: Request) -> Any:
    """The body as JSON, whatever its Content-Type; raises InvalidRequest, TooLarge, TooSlow."""
    body = await read_body(request, MAX_JSON_BYTES)
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        raise InvalidRequest("The body is not JSON.") from None


def validate(model: type[Model], value: object) -> Model:
    """The value as the model has it; raises InvalidValue: `body.field: error; body.field: …`."""
    if not isinstance(value, dict):
        raise InvalidValue("body: Input should be an object")
    try:
        return model.model_validate(value)
    except ValidationError as error:
        faults = error.errors(include_url=False, include_context=False, include_input=False)
        raise InvalidValue("; ".join(f"{_path(f['loc'])}: {f['msg']}" for f in faults)) from None


def _path(location: Sequence[int | str]) -> str:
    return ".".join(["body", *map(str, location)])


def _too_large(most: int) -> TooLarge:
    return TooLarge(f"The body is larger than {most:,} bytes.")
