"""Downloads: whole, the right bytes, going on where they stopped; and the command for them."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import psycopg
import pytest

from fotofinish.client import AsyncClient, DownloadFailed, Progress
from fotofinish.demo.portrait import portrait_path
from tests.api.conftest import Race
from tests.client.conftest import Fault, Proxy
from tests.loops import run


def some_bytes(seed: int, size: int = 300_000) -> bytes:
    return random.Random(seed).randbytes(size)


def test_all_originals_arrive_with_their_own_bytes(
    race: Race, connect: Any, proxy: Proxy, tmp_path: Path
) -> None:
    originals = {
        f"{race.add_photo('7', data=some_bytes(n, 5000))}.jpg": some_bytes(n, 5000)
        for n in range(70)
    }
    seen: list[Progress] = []
    results = connect(race).download(
        race.event_id, tmp_path / "new", bib="7", parallel=20, progress=seen.append
    )
    assert [result.filename for result in results] == list(originals)
    assert all(result.fresh and result.verified and not result.error for result in results)
    for name, data in originals.items():
        assert (tmp_path / "new" / name).read_bytes() == data
    assert len(list((tmp_path / "new").iterdir())) == 70
    assert (seen[-1].done, seen[-1].total, seen[-1].bytes) == (70, 70, 70 * 5000)
    assert all("x-api-key" not in headers for headers in proxy.asked("/files/"))


def test_photos_that_come_and_go_meanwhile_keep_none_from_arriving(
    race: Race, connect: Any, tmp_path: Path
) -> None:
    names = [f"{race.add_photo('7', data=some_bytes(n, 100))}.jpg" for n in range(70)]

    def hide_the_first(state: Progress) -> None:
        race.execute(
            "update bib_tag set visible = false where photo_id = %s", [names[0].partition(".")[0]]
        )

    results = connect(race).download(race.event_id, tmp_path, bib="7", progress=hide_the_first)
    assert [result.filename for result in results] == names
    assert all(result.verified for result in results)


def test_a_download_that_fails_for_its_caller_leaves_nothing_running(
    race: Race, proxy: Proxy, tmp_path: Path
) -> None:
    for number in range(20):
        race.add_photo("7", data=some_bytes(number, 100))

    def fail(state: Progress) -> None:
        raise ZeroDivisionError

    async def act() -> tuple[int, int]:
        async with AsyncClient(proxy.url, key=race.key, org_id=race.org_id) as api:
            with pytest.raises(ZeroDivisionError):
                await api.download(race.event_id, tmp_path, bib="7", parallel=2, progress=fail)
            asked = len(proxy.asked("/files/"))
            await asyncio.sleep(0.5)
            return asked, len(proxy.asked("/files/"))

    asked, asked_later = run(act())
    assert asked == asked_later < 20


def test_a_cut_connection_goes_on_where_it_stopped(
    race: Race, connect: Any, proxy: Proxy, tmp_path: Path
) -> None:
    name = f"{race.add_photo('7', data=some_bytes(1))}.jpg"
    proxy.faults += [Fault("/files/", cut_at=100_000), Fault("/files/", 503)]
    (result,) = connect(race).download(race.event_id, tmp_path, bib="7")
    assert result.verified
    assert (tmp_path / name).read_bytes() == some_bytes(1)
    ranges = [headers.get("range") for headers in proxy.asked("/files/")]
    assert ranges == [None, "bytes=100000-", "bytes=100000-"]


def test_a_download_that_was_given_up_goes_on_another_time(
    race: Race, connect: Any, proxy: Proxy, tmp_path: Path
) -> None:
    name = f"{race.add_photo('7', data=some_bytes(2))}.jpg"
    proxy.faults += [Fault("/files/", cut_at=200_000), *[Fault("/files/", 503)] * 2]
    (result,) = connect(race, attempts=2).download(race.event_id, tmp_path, bib="7")
    assert "failed too often" in result.error
    assert [path.name for path in tmp_path.iterdir()] == [f"{name}.part"]
    proxy.faults.clear()
    (result,) = connect(race).download(race.event_id, tmp_path, bib="7")
    assert result.verified
    assert proxy.asked("/files/")[-1]["range"] == "bytes=200000-"
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_other_bytes_than_the_original_are_not_taken(
    race: Race, connect: Any, proxy: Proxy, tmp_path: Path
) -> None:
    race.add_photo("7", data=some_bytes(3))
    proxy.faults.append(Fault("/files/", tampered=True))
    (result,) = connect(race).download(race.event_id, tmp_path, bib="7")
    assert "not the original" in result.error
    assert list(tmp_path.iterdir()) == []


def test_what_is_there_is_not_fetched_again_unless_it_is_wrong(
    race: Race, connect: Any, proxy: Proxy, tmp_path: Path
) -> None:
    right, wrong = race.add_photo("7", data=b"a" * 99), race.add_photo("7", data=b"b" * 99)
    (tmp_path / f"{right}.jpg").write_bytes(b"a" * 99)
    (tmp_path / f"{wrong}.jpg").write_bytes(b"x" * 99)
    first, second = connect(race).download(race.event_id, tmp_path, bib="7")
    assert (first.fresh, second.fresh) == (False, True)
    assert len(proxy.asked("/files/")) == 1
    assert (tmp_path / f"{wrong}.jpg").read_bytes() == b"b" * 99


def test_a_part_of_something_else_is_thrown_away(
    race: Race, connect: Any, proxy: Proxy, tmp_path: Path
) -> None:
    name = f"{race.add_photo('7', data=some_bytes(4))}.jpg"
    (tmp_path / f"{name}.part").write_bytes(b"x" * 400_000)  # longer than the original
    (result,) = connect(race).download(race.event_id, tmp_path, bib="7")
    assert result.verified


def test_a_part_with_wrong_bytes_is_fetched_from_the_start(
    race: Race, connect: Any, proxy: Proxy, tmp_path: Path
) -> None:
    name = f"{race.add_photo('7', data=some_bytes(6))}.jpg"
    (tmp_path / f"{name}.part").write_bytes(bytes(100_000))  # as after a power cut
    (result,) = connect(race).download(race.event_id, tmp_path, bib="7")
    assert result.verified
    assert (tmp_path / name).read_bytes() == some_bytes(6)
    assert [asked.get("range") for asked in proxy.asked("/files/")] == ["bytes=100000-", None]


def test_a_folder_that_is_a_file_is_said_to_be(race: Race, connect: Any, tmp_path: Path) -> None:
    (tmp_path / "a-file").touch()
    with pytest.raises(DownloadFailed, match="a-file cannot be made: File exists"):
        connect(race).download(race.event_id, tmp_path / "a-file", bib="7")


def test_an_expired_link_is_asked_for_anew(
    race: Race, connect: Any, proxy: Proxy, tmp_path: Path
) -> None:
    race.add_photo("7", data=some_bytes(5))
    proxy.faults.append(Fault("/files/", 403))
    (result,) = connect(race).download(race.event_id, tmp_path, bib="7")
    assert result.verified
    assert len(proxy.asked("/original-photos")) == 2


@pytest.mark.parametrize("name", ["../../over.jpg", "/etc/over.jpg", ".over.jpg", "a\\b.jpg", ""])
def test_a_hostile_file_name_is_not_taken(
    race: Race, connect: Any, proxy: Proxy, tmp_path: Path, name: str
) -> None:
    id = race.add_photo("7")
    proxy.replaced[f'"filename":"{id}.jpg"'] = f'"filename":{json.dumps(name)}'
    folder = tmp_path / "a" / "b"
    (result,) = connect(race).download(race.event_id, folder, bib="7")
    assert "is not taken" in result.error
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_one_lost_original_does_not_spoil_the_others(
    race: Race, connect: Any, tmp_path: Path
) -> None:
    kept, lost = race.add_photo("7"), race.add_photo("7")
    race.lose_original(lost)
    first, second = connect(race).download(race.event_id, tmp_path, bib="7")
    assert (first.filename, first.error) == (f"{kept}.jpg", None)
    assert second.filename == f"{lost}.jpg"
    assert second.error


def command(race: Race, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [
            sys.executable, "-m", "fotofinish", "download", "--url", race.server.url,
            "--org", str(race.org_id), "--event", str(race.event_id), *options,
        ],
        env={**os.environ, "FOTOFINISH_API_KEY": race.key},
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


def test_the_command_downloads_a_bibs_photos_once(race: Race, tmp_path: Path) -> None:
    data = some_bytes(6)
    name = f"{race.add_photo('7', data=data)}.jpg"
    first = command(race, "--bib", "7", str(tmp_path), "--json")
    assert first.returncode == 0, first.stderr
    assert json.loads(first.stdout) == {
        "photos": 1, "downloaded": 1, "already_there": 0, "verified": 1, "failed": [],
    }  # fmt: skip
    assert hashlib.sha256((tmp_path / name).read_bytes()).digest() == hashlib.sha256(data).digest()
    again = command(race, "--bib", "7", str(tmp_path))
    assert "0 downloaded" in again.stdout
    assert "1 were there already" in again.stdout


def test_the_command_says_what_is_wrong(race: Race, tmp_path: Path) -> None:
    neither = command(race, str(tmp_path))
    assert neither.returncode == 2
    assert "--bib or --selfie" in neither.stderr
    nobody = command(race, "--bib", "nobody", str(tmp_path))
    assert (nobody.returncode, nobody.stdout.strip()) == (0, "No photos show bib nobody.")
    foreign = command(race.of_org(10**9), "--bib", "7", str(tmp_path))
    assert foreign.returncode == 1
    assert "does not belong to this organisation" in foreign.stderr
    assert "Traceback" not in foreign.stderr
    assert race.key not in foreign.stderr
    race.lose_original(race.add_photo("8"))
    lost = command(race, "--bib", "8", str(tmp_path))
    assert lost.returncode == 1
    assert "1 failed" in lost.stdout


def test_the_command_names_a_server_that_does_not_answer(race: Race, tmp_path: Path) -> None:
    done = command(race, "--url", "http://me:hunter2@127.0.0.1:9", "--bib", "7", str(tmp_path))
    assert done.returncode == 1
    assert "No answer from http://127.0.0.1:9 " in done.stderr
    assert "Check --url" in done.stderr
    assert "hunter2" not in done.stderr
    assert race.key not in done.stderr


def test_the_command_searches_by_selfie_and_leaves_nothing_behind(
    race: Race, tmp_path: Path
) -> None:
    picture = portrait_path()
    ended = command(race, "--selfie", str(picture), str(tmp_path))
    assert ended.returncode == 0, ended.stderr
    assert "No images found" in ended.stdout
    with psycopg.connect(race.server.database.dsn) as connection:
        left = connection.execute("select 1 from selfie where event_id = %s", [race.event_id])
        assert left.fetchall() == []
