"""The published contract: complete, valid, with examples that fit, and true under a fuzzer."""

from __future__ import annotations

import base64
import hashlib
import re

import httpx
import jsonschema_rs
import pytest

from fotofinish.web.api.endpoints import ENDPOINTS
from fotofinish.web.api.models import ImageRequest, ImagesRequest, ParticipantRequest
from fotofinish.web.api.openapi import description


def test_the_contract_is_published(client: httpx.Client) -> None:
    document = client.get("/api/v1/openapi.json").json()
    assert document["openapi"] == "3.1.0"
    assert set(document["paths"]) == {
        f"/api/v1/ext{path}"
        for path in (
            "/{org_id}/events",
            *(
                "/{org_id}/event/{event_id}" + rest
                for rest in (
                    "/original-photos", "/ping", "/details", "/images", "/bibs/{bib}", "/faces",
                    "/faces/{request_id}", "/timeline/days", "/timeline/images",
                )
            ),
        )
    }  # fmt: skip
    for operations in document["paths"].values():
        for operation in operations.values():
            assert {"200", "401", "403", "422", "500"} <= operation["responses"].keys()
            for response in operation["responses"].values():
                assert "example" in response["content"]["application/json"]


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda endpoint: endpoint.name)
def test_examples_fit_their_schemas(endpoint) -> None:  # type: ignore[no-untyped-def]
    endpoint.answer.model_validate(endpoint.example)
    schema = {
        "$ref": f"#/components/schemas/{endpoint.answer.__name__}",
        "components": description()["components"],
    }
    jsonschema_rs.validate(schema, endpoint.example)


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda endpoint: endpoint.name)
def test_an_examples_page_adds_up(endpoint) -> None:  # type: ignore[no-untyped-def]
    shown = endpoint.example.get("data", endpoint.example)
    if "pagination" in shown:
        items = sum(len(part) for part in shown.values() if isinstance(part, list))
        assert shown["pagination"] == {
            "total": items,
            "currentPage": 1,
            "totalPages": 1,
            "hasNextPage": False,
            "hasPreviousPage": False,
            "page_size": endpoint.query["page_size"]["default"],
        }


def test_the_list_of_events_does_not_speak_of_one_event() -> None:
    refusal = description()["paths"]["/api/v1/ext/{org_id}/events"]["get"]["responses"]["403"]
    assert refusal["description"] == "The key is not valid or is another organisation's."
    assert "event" not in refusal["content"]["application/json"]["example"]["message"]


def test_example_requests_are_good() -> None:
    operation = description()["paths"]["/api/v1/ext/{org_id}/event/{event_id}/original-photos"]
    examples = operation["post"]["requestBody"]["content"]["application/json"]["examples"]
    for name, model in (
        ("bib", ParticipantRequest),
        ("selfie", ParticipantRequest),
        ("image_id", ImageRequest),
        ("image_ids", ImagesRequest),
    ):
        model.model_validate(examples[name]["value"])


def test_the_page_shows_everything_and_loads_nothing(client: httpx.Client) -> None:
    answer = client.get("/api/v1/docs")
    assert answer.status_code == 200
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'")
    (style,) = re.findall(r"<style>(.*?)</style>", answer.text, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert digest in policy
    assert not re.search(r"<(script|link|img|iframe)", answer.text)
    assert "`" not in answer.text
    for endpoint in ENDPOINTS:
        assert f"/api/v1/ext{endpoint.path}" in answer.text
    assert "your organisation’s id" in answer.text
    assert "from <code>from</code> to before <code>to</code>" in answer.text
    assert "`" not in answer.text
