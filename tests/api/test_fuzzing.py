"""A fuzzer fed with the published contract finds no undocumented answer and no 5xx.

Schemathesis runs as its users run it: every phase, links between the calls included, every check.
It sends the same cases every time, or others: `FUZZ_SEED=7 pytest tests/api/test_fuzzing.py`.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings

from fotofinish.web.api.endpoints import ENDPOINTS, Endpoint
from fotofinish.web.api.openapi import BASE
from tests.api.conftest import Race

REPOSITORY = Path(__file__).resolve().parents[2]
EXAMPLES = 25
SEED = os.environ.get("FUZZ_SEED", "1")

# The contract wants a 400 for image ids of which none is the event's: no fault of the request's
# form. Everything else that fits the schema has to be accepted.
CONFIGURATION = """
[parameters]
"path.org_id" = {org_id}
"path.event_id" = {event_id}

[[operations]]
include-name = "POST {base}/{{org_id}}/event/{{event_id}}/original-photos"
[operations.checks.positive_data_acceptance]
expected-statuses = ["2xx", "400", "401", "403", "429"]
"""


def fuzz(
    race: Race, folder: Path, *options: str, hooks: str = "tests.api.fuzzing_hooks"
) -> subprocess.CompletedProcess[str]:
    """Run every phase with every check against the server of this race."""
    (folder / "schemathesis.toml").write_text(
        CONFIGURATION.format(org_id=race.org_id, event_id=race.event_id, base=BASE)
    )
    return subprocess.run(
        [
            str(Path(sys.executable).with_name("schemathesis")), "run",
            f"{race.server.url}/api/v1/openapi.json", "--checks", "all", "--mode", "all",
            "--phases", "examples,coverage,fuzzing,stateful", "--continue-on-failure",
            "--max-examples", str(EXAMPLES), "--generation-database", "none", "--no-color",
            "--seed", SEED,
            *options,
        ],
        cwd=folder,
        env={
            **os.environ,
            "SCHEMATHESIS_HOOKS": hooks,
            "PYTHONPATH": str(REPOSITORY),
        },
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )  # fmt: skip


def failures(report: str) -> str:
    """What failed, without the bytes of the pictures that were sent."""
    start = max(report.find("= FAILURES ="), 0)
    return "\n".join(line[:500] for line in report[start:].splitlines())[:20_000]


@pytest.fixture(scope="module")
def fuzzed_race(module_race: Race) -> Race:
    """An event that has something to find."""
    for bib in ("1", "2", "A7"):
        module_race.add_photo(bib)
    module_race.add_photo(captured_at=None)
    return module_race


def test_with_a_key_every_answer_is_as_documented(fuzzed_race: Race, tmp_path: Path) -> None:
    ended = fuzz(fuzzed_race, tmp_path, "-H", f"X-API-Key: {fuzzed_race.key}")
    assert ended.returncode == 0, failures(ended.stdout)
    assert f"Tested: {len(ENDPOINTS)}" in ended.stdout
    assert "API Links:" in ended.stdout


def test_without_a_key_every_answer_is_as_documented(fuzzed_race: Race, tmp_path: Path) -> None:
    # what is made up as well: the test of strangers below
    ended = fuzz(
        fuzzed_race, tmp_path, "-H", "X-API-Key: not-a-key", "--phases", "examples,coverage"
    )
    assert ended.returncode == 0, failures(ended.stdout)
    assert f"Tested: {len(ENDPOINTS)}" in ended.stdout


def test_a_fuzzer_that_knows_no_pictures_can_send_what_is_no_selfie(
    race: Race, tmp_path: Path
) -> None:
    ended = fuzz(
        race, tmp_path, "-H", f"X-API-Key: {race.key}",
        "--include-operation-id", "search_faces", "--phases", "fuzzing", "--mode", "negative",
        hooks="",
    )  # fmt: skip
    assert ended.returncode == 0, failures(ended.stdout)


def test_the_fuzzer_would_notice(fuzzed_race: Race, tmp_path: Path) -> None:
    fuzzed_race.execute("alter table photo_bucket rename to photo_bucket_away")
    try:
        ended = fuzz(
            fuzzed_race, tmp_path, "-H", f"X-API-Key: {fuzzed_race.key}",
            "--include-operation-id", "images", "--max-failures", "1",
        )  # fmt: skip
    finally:
        fuzzed_race.execute("alter table photo_bucket_away rename to photo_bucket")
    assert ended.returncode == 1
    assert "Server error" in ended.stdout


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda endpoint: endpoint.name)
def test_strangers_learn_nothing_whatever_they_send(fuzzed_race: Race, endpoint: Endpoint) -> None:
    import schemathesis  # not where every process that runs tests would load it

    document = httpx.get(f"{fuzzed_race.server.url}/api/v1/openapi.json").json()
    schema = schemathesis.openapi.from_dict(document)
    schema.config.update(base_url=fuzzed_race.server.url)
    operation: Any = schema[f"{BASE}{endpoint.path}"][endpoint.method]
    bodies = set()

    @given(case=operation.as_strategy(generation_mode=schemathesis.GenerationMode.POSITIVE))
    @settings(
        max_examples=10, deadline=None, database=None, suppress_health_check=list(HealthCheck)
    )
    def run(case: Any) -> None:
        answer = case.call(headers={"X-API-Key": "not-a-key"})
        assert answer.status_code == 403
        bodies.add(answer.text)

    run()
    assert len(bodies) == 1
