"""The bodies of the external API, as they are checked and as its description shows them."""

from __future__ import annotations

import re
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

UUID_FORM = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


def parse_uuid(text: str) -> UUID | None:
    """A UUID in its usual form, with hyphens; None for anything else."""
    return UUID(text) if UUID_FORM.fullmatch(text) else None


def _check_uuid(text: str) -> str:
    if parse_uuid(text) is None:
        raise PydanticCustomError("uuid", "Input should be a valid UUID")
    return text


UuidText = Annotated[
    str, AfterValidator(_check_uuid), WithJsonSchema({"type": "string", "format": "uuid"})
]


class ParticipantRequest(BaseModel):
    """The originals of one participant, by bib number or by a selfie search's UUID."""

    method: Literal["bib", "selfie"]
    identifier: Annotated[str, Field(min_length=1, max_length=64)]


class ImageRequest(BaseModel):
    """One original."""

    method: Literal["image_id"]
    identifier: UuidText


class ImagesRequest(BaseModel):
    """Originals that the caller knows by their ids."""

    method: Literal["image_ids"]
    identifier: Annotated[list[UuidText], Field(min_length=1, max_length=1000)]


OriginalsRequest = ParticipantRequest | ImageRequest | ImagesRequest


class Answer(BaseModel):
    """Base of what is answered: nothing but the fields named."""

    model_config = ConfigDict(extra="forbid")
