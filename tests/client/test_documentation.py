"""Every snippet of docs/client.md and the README's calls run as they stand, on a real server."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import cv2
import pytest

from fotofinish.demo.portrait import portrait_path
from tests.api.conftest import Race

REPOSITORY = Path(__file__).resolve().parents[2]
PAGE = (REPOSITORY / "docs" / "client.md").read_text()
ADDRESS = "https://photos.example.org"
README = (REPOSITORY / "README.md").read_text()
SNIPPETS = re.findall(r"^## ([^\n]+)$|^```(\w+)\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)


def named() -> list[tuple[str, str, str]]:
    """Heading, language and code of each snippet."""
    heading, found = "", []
    for title, language, code in SNIPPETS:
        heading = title or heading
        if language:
            found.append((heading, language, code))
    return found


@pytest.fixture(scope="module")
def folder(module_race: Race, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the snippets run: a selfie lies there, and the event has photos."""
    made = tmp_path_factory.mktemp("snippets")
    picture = portrait_path()
    cv2.imwrite(str(made / "selfie.jpg"), cv2.imread(str(picture)))
    module_race.add_photo("1234", data=b"one original")
    return made


def run(race: Race, folder: Path, language: str, code: str) -> subprocess.CompletedProcess[str]:
    # the address last: its port may have any digits
    code = (
        code.replace("903", str(race.org_id))
        .replace("456", str(race.event_id))
        .replace(ADDRESS, race.server.url)
    )
    commands = {
        "sh": ["bash", "-eu", "-c", code],
        "python": [sys.executable, "-c", code],
        "js": ["node", "--input-type=module", "-e", code],
    }
    binaries = Path(sys.executable).parent
    return subprocess.run(
        commands[language],
        cwd=folder,
        env={
            **os.environ,
            "FOTOFINISH_API_KEY": race.key,
            "PATH": f"{binaries}:{os.environ['PATH']}",
            "PYTHONPATH": str(REPOSITORY),
        },
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_each_call_is_shown_in_three_languages() -> None:
    languages: dict[str, set[str]] = {}
    for heading, language, _ in named():
        languages.setdefault(heading, set()).add(language)
    assert len(languages) == 5
    assert all(shown == {"sh", "python", "js"} for shown in languages.values())


@pytest.mark.parametrize(
    ("heading", "language", "code"), named(), ids=[f"{h}-{language}" for h, language, _ in named()]
)
def test_the_snippet_runs(
    module_race: Race, folder: Path, heading: str, language: str, code: str
) -> None:
    if language == "js" and shutil.which("node") is None:
        pytest.skip("node is not on this machine")
    shutil.rmtree(folder / "photos", ignore_errors=True)
    ended = run(module_race, folder, language, code)
    assert ended.returncode == 0, ended.stderr
    assert "undefined" not in ended.stdout
    if heading.startswith("Download"):
        (photo,) = (folder / "photos").iterdir()
        assert photo.read_bytes() == b"one original"
    elif heading.startswith("When"):
        assert "This API key is not valid." in ended.stdout
    elif heading.startswith("A participant"):
        assert ".jpg" in ended.stdout
        assert "signature=" in ended.stdout
    elif heading.startswith("By selfie"):
        assert ended.stdout
    elif language != "python":
        assert "ok" in ended.stdout


def test_the_calls_of_the_readme_run_with_the_key_where_the_command_looks_for_it(
    module_race: Race, folder: Path
) -> None:
    by_bib, by_selfie = (
        run(module_race, folder, "sh", call.replace("http://127.0.0.1:8000", ADDRESS))
        for call in re.findall(r"^```sh\n(curl .*?)^```$", README, re.DOTALL | re.MULTILINE)
    )
    assert "signature=" in by_bib.stdout
    assert '"request_id":' in by_selfie.stdout
    words = re.findall(r"`(fotofinish download [^`]*)`", README)[0].replace("--url …", "")
    shutil.rmtree(folder / "DIR", ignore_errors=True)
    downloaded = run(module_race, folder, "sh", f"{words} --url {ADDRESS}")
    assert downloaded.returncode == 0, downloaded.stderr
    assert [photo.read_bytes() for photo in (folder / "DIR").iterdir()] == [b"one original"]


def test_the_readme_leads_to_every_page_of_the_docs_and_no_link_leads_nowhere() -> None:
    waiting, reached = [REPOSITORY / "README.md"], set()
    while waiting:
        page = waiting.pop()
        reached.add(page)
        for link in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text()):
            target = (page.parent / link).resolve()
            assert target.exists(), f"{page.name}: {link}"
            if target.suffix == ".md" and target not in reached:
                waiting.append(target)
    assert reached >= set((REPOSITORY / "docs").glob("*.md"))
