"""The addresses of the external API: what each takes and answers, once, for routing and for its
description."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from fotofinish.web.api import examples, models
from fotofinish.web.api.events import details, events, ping
from fotofinish.web.api.faces import forget_search, search_faces, stored_search
from fotofinish.web.api.images import (
    LAST_SECOND,
    all_images,
    images_with_bib,
    timeline_days,
    timeline_images,
)
from fotofinish.web.api.originals import original_photos
from fotofinish.web.api.paging import MAX_PAGE

EVENT = "/{org_id}/event/{event_id}"

Schema = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One address with one method. `path` is below the base; `refusals` says what each status
    beyond the common ones means here, `links` what may be asked with this one's answer."""

    method: str
    path: str
    handle: Callable[[Request], Awaitable[Response]]
    name: str
    summary: str
    answer: type[models.Answer]
    example: Mapping[str, Any]
    query: Mapping[str, Schema] = field(default_factory=dict)
    required: tuple[str, ...] = ()
    body: Mapping[str, Any] | None = None
    refusals: Mapping[int, str] = field(default_factory=dict)
    links: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


def page_query(default: int, most: int) -> dict[str, Schema]:
    """`page` and `page_size` of a list."""
    return {
        "page": {"type": "integer", "minimum": 1, "maximum": MAX_PAGE, "default": 1},
        "page_size": {"type": "integer", "minimum": 1, "maximum": most, "default": default},
    }


SECONDS: Schema = {"type": "integer", "minimum": 0, "maximum": LAST_SECOND}
ORGANISATION = {403: "The key is not valid or is another organisation's."}
OFF = {403: "The key is not valid, does not reach this event, or this search is switched off."}
SHAPE = {422: "A parameter is not of the documented form."}
NO_UUID = {400: "`request_id` is no UUID."}
NO_SEARCH = {404: "There is no such search, or not any more."}
LARGE = {408: "The body took too long to arrive.", 413: "The body is too large."}

ORIGINALS_BODY: Mapping[str, Any] = {
    "application/json": {
        "schema": {
            "oneOf": [
                {"$ref": f"#/components/schemas/{model.__name__}"}
                for model in (models.ParticipantRequest, models.ImageRequest, models.ImagesRequest)
            ]
        },
        "examples": {name: {"value": value} for name, value in examples.REQUESTS.items()},
    }
}
SELFIE_BODY: Mapping[str, Any] = {
    "multipart/form-data": {
        "schema": {
            "type": "object",
            "properties": {
                "file": {
                    "type": "string",
                    "contentMediaType": "application/octet-stream",
                    "minLength": 1,
                    "description": "The selfie: JPEG, PNG, WebP, HEIC or TIFF. The names `selfie` "
                    "and `image` do as well. Of several parts the first that is not empty counts, "
                    "in the order `file`, `selfie`, `image`.",
                },
                "request_id": {
                    "type": "string",
                    "format": "uuid",
                    "description": "A UUID of your own. Posting it again answers from what is "
                    "stored, without reading the file, which may be left out then.",
                },
            },
            "required": ["file"],
        },
        "encoding": {"file": {"contentType": "image/*"}},
    }
}

# OpenAPI's link objects: whoever searched may ask again, for originals, and be forgotten
SEARCH_ID = "$response.body#/data/request_id"
OF_SEARCH: Mapping[str, Mapping[str, Any]] = {
    "stored": {"operationId": "stored_search", "parameters": {"request_id": SEARCH_ID}},
    "forget": {"operationId": "forget_search", "parameters": {"request_id": SEARCH_ID}},
    "originals": {
        "operationId": "original_photos",
        "requestBody": {"method": "selfie", "identifier": SEARCH_ID},
    },
}
OF_IMAGE: Mapping[str, Mapping[str, Any]] = {
    "original": {
        "operationId": "original_photos",
        "requestBody": {
            "method": "image_id",
            "identifier": "$response.body#/data/images/0/image_id",
        },
    }
}
OF_EVENT: Mapping[str, Mapping[str, Any]] = {
    name: {
        "operationId": name,
        "parameters": {"event_id": "$response.body#/data/events/0/event_id"},
    }
    for name in ("ping", "details", "images")
}

ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint(
        "POST", f"{EVENT}/original-photos", original_photos, "original_photos",
        "Time-limited links to a participant's original photos",
        models.OriginalsAnswer, examples.ORIGINALS,
        query=page_query(30, 60), body=ORIGINALS_BODY,
        refusals={
            400: "The body is no JSON, the selfie's identifier no UUID, or none of the image ids "
            "is this event's.",
            422: "Body or query are not of the documented form.",
            **OFF,
            **LARGE,
        },
    ),
    Endpoint(
        "GET", f"{EVENT}/ping", ping, "ping", "Whether the key reaches this event",
        models.PingAnswer, examples.PING, refusals=SHAPE,
    ),
    Endpoint(
        "GET", "/{org_id}/events", events, "events", "The organisation's events, latest first",
        models.EventsAnswer, examples.EVENTS, query=page_query(10, 100),
        refusals={**SHAPE, **ORGANISATION}, links=OF_EVENT,
    ),
    Endpoint(
        "GET", f"{EVENT}/details", details, "details", "The event and what may be searched in it",
        models.DetailsAnswer, examples.DETAILS, refusals=SHAPE,
    ),
    Endpoint(
        "GET", f"{EVENT}/images", all_images, "images", "All photos of the event",
        models.ImagesAnswer, examples.IMAGES, query=page_query(32, 100), refusals=SHAPE,
        links=OF_IMAGE,
    ),
    Endpoint(
        "GET", f"{EVENT}/bibs/{{bib}}", images_with_bib, "bib", "The photos that show a bib number",
        models.ImagesAnswer, examples.BIB, query=page_query(32, 100), refusals={**SHAPE, **OFF},
    ),
    Endpoint(
        "POST", f"{EVENT}/faces", search_faces, "search_faces", "Search by selfie",
        models.SearchAnswer, examples.SEARCH, query=page_query(32, 100), body=SELFIE_BODY,
        refusals={
            400: "The upload is empty or no picture, the body no form, or `request_id` no UUID.",
            429: "The key makes more searches than its rate allows, or too many selfies wait.",
            **SHAPE, **OFF, **LARGE,
        },
        links=OF_SEARCH,
    ),
    Endpoint(
        "GET", f"{EVENT}/faces/{{request_id}}", stored_search, "stored_search",
        "The result of a selfie search, without searching again",
        models.SearchAnswer, examples.SEARCH, query=page_query(32, 100),
        refusals={**SHAPE, **OFF, **NO_UUID, **NO_SEARCH},
    ),
    Endpoint(
        "DELETE", f"{EVENT}/faces/{{request_id}}", forget_search, "forget_search",
        "Forget a selfie, its face template and its matches",
        models.ForgottenAnswer, examples.FORGOTTEN, refusals={**SHAPE, **NO_UUID, **NO_SEARCH},
    ),
    Endpoint(
        "GET", f"{EVENT}/timeline/days", timeline_days, "timeline_days",
        "How many photos were captured on which day, in which hour (UTC)",
        models.DaysAnswer, examples.DAYS, refusals={**SHAPE, **OFF},
    ),
    Endpoint(
        "GET", f"{EVENT}/timeline/images", timeline_images, "timeline_images",
        "The photos captured from `from` to before `to` (Unix seconds)",
        models.ImagesAnswer, examples.TIMELINE,
        query={"from": SECONDS, "to": SECONDS, **page_query(32, 100)}, required=("from", "to"),
        refusals={**SHAPE, **OFF},
    ),
)  # fmt: skip
