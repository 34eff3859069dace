"""Request bodies: read within a limit, and checked against a model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

import orjson
from pydantic import BaseModel, ValidationError
from starlette.requests import Request

from fotofinish.errors import InvalidRequest, InvalidValue, TooLarge

MAX_JSON_BYTES = 128 * 1024

Model = TypeVar("Model", bound=BaseModel)


async def read_body(request: Request, most: int) -> bytes:
    """The whole body, of at most `most` bytes; raises TooLarge as soon as that is known."""
    announced = request.headers.get("content-length", "")
    if announced.isdigit() and int(announced) > most:
        raise _too_large(most)
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > most:
            raise _too_large(most)
        chunks.append(chunk)
    return b"".join(chunks)


async def read_json(request: Request) -> Any:
    """The body as JSON, whatever its Content-Type says; raises InvalidRequest or TooLarge."""
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
