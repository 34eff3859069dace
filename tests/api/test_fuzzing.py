"""A fuzzer fed with the published contract finds no undocumented answer and no 5xx."""

from __future__ import annotations

import uuid
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.api.conftest import Race

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


@pytest.fixture(scope="module")
def fuzzed_race(module_race: Race) -> Race:
    """An event that has something to find."""
    for bib in ("1", "2", "A7"):
        module_race.add_photo(bib)
    module_race.add_photo(captured_at=None)
    return module_race


@pytest.fixture(scope="module")
def contract(fuzzed_race: Race) -> Any:
    """The published contract, with ids that exist, so that the fuzzer gets past the door."""
    document = httpx.get(f"{fuzzed_race.server.url}/api/v1/openapi.json").json()
    known = {"org_id": [fuzzed_race.org_id], "event_id": [fuzzed_race.event_id]}
    known["request_id"] = [str(uuid.uuid4())]
    for path in document["paths"].values():
        for operation in path.values():
            for parameter in operation["parameters"]:
                if parameter["name"] in known:
                    parameter["schema"]["enum"] = known[parameter["name"]]
    schema = schemathesis.openapi.from_dict(document)
    schema.config.update(base_url=fuzzed_race.server.url)
    return schema


fuzz = schemathesis.pytest.from_fixture("contract")


@fuzz.parametrize()
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
def test_no_answer_is_undocumented_and_none_a_crash(case: Any, fuzzed_race: Race) -> None:
    case.call_and_validate(headers={"X-API-Key": fuzzed_race.key}, checks=CHECKS)


@pytest.fixture(scope="module")
def stranger_contract(server: Any) -> Any:
    """The contract as published, for somebody without a key of this organisation."""
    schema = schemathesis.openapi.from_url(f"{server.url}/api/v1/openapi.json")
    schema.config.update(base_url=server.url)
    return schema


strangers = schemathesis.pytest.from_fixture("stranger_contract")


@strangers.parametrize()
@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
def test_strangers_learn_nothing_whatever_they_send(case: Any) -> None:
    answer = case.call(headers={"X-API-Key": "not-a-key"})
    assert answer.status_code in (403, 404, 405)
