"""The contract of the external API as OpenAPI 3.1, made from the endpoints themselves."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from pydantic.json_schema import models_json_schema

from fotofinish.web.api import models
from fotofinish.web.api.admission import KEY_HEADER
from fotofinish.web.api.endpoints import ENDPOINTS, Endpoint

BASE = "/api/v1/ext"
REFERENCES = "#/components/schemas/{model}"
PATH_PARAMETERS: dict[str, dict[str, Any]] = {
    "org_id": {"type": "integer", "minimum": 1},
    "event_id": {"type": "integer", "minimum": 1},
    "bib": {
        "type": "string",
        "minLength": 1,
        "maxLength": 64,
        "description": "Compared without regard to case, surrounding white space, and full-width "
        "forms. A slash is written `%2F`.",
    },
    "request_id": {"type": "string", "format": "uuid"},
}
COMMON = {
    401: f"There is no {KEY_HEADER} header, or an empty one.",
    403: "The key is not valid or does not reach this event; whether there is such an event is "
    "not told.",
    429: "The key makes more requests than its rate allows.",
    500: "Something went wrong on our side.",
    503: "Database or storage do not answer just now, or too much is being sent at once; "
    "`Retry-After` says when to try again.",
    507: "The database's disk is full.",
}
MESSAGES = {
    400: "The body is not JSON.",
    401: "Send your API key in the header X-API-Key.",
    403: "This API key does not belong to this organisation.",
    404: "There is no such selfie search.",
    408: "What was sent took too long to arrive. Send it again, best on a faster connection.",
    413: "The body is larger than 131,072 bytes.",
    422: "body.method: Input should be 'bib' or 'selfie'",
    429: "Too many requests with this key. Try again after a pause.",
    500: "Something went wrong on our side.",
    503: "The database does not answer just now. Try again in a moment.",
    507: "The database's disk is full. Whoever runs this server has to make room on it.",
}
RETRIED = (429, 503)


@cache
def description() -> dict[str, Any]:
    """The whole document."""
    paths: dict[str, dict[str, Any]] = {}
    for endpoint in ENDPOINTS:
        paths.setdefault(BASE + endpoint.path, {})[endpoint.method.lower()] = _operation(endpoint)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Fotofinish external API",
            "version": "1",
            "description": "Participants' photos by bib number, selfie or time, and time-limited "
            "links to the originals. Links need no key. Every error has the same body.",
        },
        "security": [{"key": []}],
        "paths": paths,
        "components": {
            "schemas": _schemas(),
            "securitySchemes": {"key": {"type": "apiKey", "in": "header", "name": KEY_HEADER}},
        },
    }


def statuses(endpoint: Endpoint) -> dict[int, str]:
    """What each status but 200 means at this endpoint, in order."""
    return dict(sorted({**COMMON, **endpoint.refusals}.items()))


def _operation(endpoint: Endpoint) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": endpoint.name,
        "summary": endpoint.summary,
        "parameters": _parameters(endpoint),
        "responses": {
            "200": {
                "description": "Success",
                "content": {
                    "application/json": {
                        "schema": {"$ref": REFERENCES.format(model=endpoint.answer.__name__)},
                        "example": endpoint.example,
                    }
                },
            },
            **{str(status): _refusal(status, why) for status, why in statuses(endpoint).items()},
        },
    }
    if endpoint.links:
        operation["responses"]["200"]["links"] = endpoint.links
    if endpoint.body is not None:
        operation["requestBody"] = {"required": True, "content": endpoint.body}
    return operation


def _parameters(endpoint: Endpoint) -> list[dict[str, Any]]:
    in_path = re.findall(r"{(\w+)}", endpoint.path)
    return [
        {"name": name, "in": "path", "required": True, "schema": PATH_PARAMETERS[name]}
        for name in in_path
    ] + [
        {"name": name, "in": "query", "required": name in endpoint.required, "schema": schema}
        for name, schema in endpoint.query.items()
    ]


def _refusal(status: int, why: str) -> dict[str, Any]:
    refusal: dict[str, Any] = {
        "description": why,
        "content": {
            "application/json": {
                "schema": {"$ref": REFERENCES.format(model="ErrorAnswer")},
                "example": {"responseType": "error", "message": MESSAGES[status], "data": None},
            }
        },
    }
    if status in RETRIED:
        refusal["headers"] = {
            "Retry-After": {"description": "Seconds to wait", "schema": {"type": "integer"}}
        }
    return refusal


def _schemas() -> dict[str, Any]:
    answers = {endpoint.answer for endpoint in ENDPOINTS} | {models.ErrorAnswer}
    asked = (models.ParticipantRequest, models.ImageRequest, models.ImagesRequest)
    _, schema = models_json_schema(
        [
            *((model, "serialization") for model in sorted(answers, key=lambda m: m.__name__)),
            *((model, "validation") for model in asked),
        ],
        ref_template=REFERENCES,
    )
    definitions: dict[str, Any] = schema["$defs"]
    return definitions
