"""A fuzzer fed with the published contract finds no undocumented answer and no 5xx."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Callable
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from fotofinish.web.api.endpoints import ENDPOINTS, Endpoint
from fotofinish.web.api.openapi import BASE
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


def fuzz(contract: Any, endpoint: Endpoint, examples: int, call: Callable[[Any], None]) -> None:
    """Call with cases that fit the contract, then with cases that do not."""
    operation = contract[f"{BASE}{endpoint.path}"][endpoint.method]
    for mode in GenerationMode:

        @given(case=operation.as_strategy(generation_mode=mode))
        @settings(
            max_examples=examples,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        )
        def run(case: Any) -> None:
            call(case)

        with contextlib.suppress(Unsatisfiable):  # nothing of it could be otherwise
            run()


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda endpoint: endpoint.name)
def test_no_answer_is_undocumented_and_none_a_crash(
    contract: Any, fuzzed_race: Race, endpoint: Endpoint
) -> None:
    def call(case: Any) -> None:
        case.call_and_validate(headers={"X-API-Key": fuzzed_race.key}, checks=CHECKS)

    fuzz(contract, endpoint, 30, call)


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda endpoint: endpoint.name)
def test_strangers_learn_nothing_whatever_they_send(contract: Any, endpoint: Endpoint) -> None:
    bodies = set()

    def call(case: Any) -> None:
        answer = case.call(headers={"X-API-Key": "not-a-key"})
        if answer.status_code not in (404, 405):  # another address or method, perhaps
            assert answer.status_code in (401, 403)  # the fuzzer leaves out the key, too
            bodies.add(answer.text)

    fuzz(contract, endpoint, 10, call)
    assert len(bodies) <= 2
