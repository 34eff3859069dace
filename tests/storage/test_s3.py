"""The S3 store and its links, on a real server that checks signatures."""

from __future__ import annotations

import hashlib
import os
import re
import socket
import subprocess
import sys
import time
import uuid
from pathlib import Path

import httpx
import pytest

from fotofinish.database.connection import Database
from fotofinish.errors import FotofinishError, ObjectMissing, StorageError
from fotofinish.photos.preview_links import Picture, preview_links
from fotofinish.photos.previews import Previews, store_previews
from fotofinish.settings import Settings
from fotofinish.storage.cloud import CloudStore
from fotofinish.storage.links import open_linker
from fotofinish.storage.stores import Store, open_store
from tests.loops import run
from tests.running import serving
from tests.s3_server import free_ports

KEY = "imgs/456/large/a4402318-0cf4-4e1e-b8e8-ac8e8f2fc244.jpg"
NAME = "a4402318-0cf4-4e1e-b8e8-ac8e8f2fc244.jpg"
PHOTO = os.urandom(300_000)


def fetch(link: str, **headers: str) -> httpx.Response:
    with httpx.Client(trust_env=False) as client:
        return client.get(link, headers=headers)


@pytest.fixture
def store(s3_settings: Settings) -> Store:
    store = open_store(s3_settings)
    store.put(KEY, PHOTO, content_type="image/jpeg", filename=NAME)
    return store


@pytest.fixture
def link(store: Store, s3_settings: Settings) -> str:
    return open_linker(s3_settings, store).links([KEY])[0]


def test_a_link_gives_the_bytes_their_type_and_the_name_to_save_them_under(link: str) -> None:
    answer = fetch(link)
    assert answer.status_code == 200
    assert hashlib.sha256(answer.content).digest() == hashlib.sha256(PHOTO).digest()
    assert answer.headers["content-type"] == "image/jpeg"
    assert answer.headers["content-disposition"] == f'attachment; filename="{NAME}"'


def test_a_link_may_save_the_bytes_under_another_name(store: Store, s3_settings: Settings) -> None:
    answer = fetch(open_linker(s3_settings, store).link_saved_as(KEY, "run-20260517.jpg"))
    assert hashlib.sha256(answer.content).digest() == hashlib.sha256(PHOTO).digest()
    assert answer.headers["content-disposition"] == 'attachment; filename="run-20260517.jpg"'


def test_a_link_gives_a_range(link: str) -> None:
    answer = fetch(link, Range="bytes=1000-1999")
    assert answer.status_code == 206
    assert answer.content == PHOTO[1000:2000]


def test_a_link_has_the_form_of_the_contract(link: str, s3_settings: Settings) -> None:
    endpoint = httpx.URL(s3_settings.storage_url or "").params["endpoint"]
    assert re.fullmatch(
        re.escape(f"{endpoint}/photos/{KEY}")
        + r"\?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=[^&]+&X-Amz-Date=\d{8}T\d{6}Z"
        r"&X-Amz-Expires=3600&X-Amz-SignedHeaders=host&X-Amz-Signature=[0-9a-f]{64}",
        link,
    )


def test_any_other_path_expiry_or_signature_is_refused(link: str, store: Store) -> None:
    store.put(f"{KEY}x", PHOTO, content_type="image/jpeg", filename=NAME)
    last = link[-1]
    for forged in (
        link.replace(".jpg?", ".jpgx?"),
        link.replace("/456/", "/457/"),
        link.replace("Expires=3600", "Expires=3601"),
        link[:-1] + ("0" if last != "0" else "1"),
        link.partition("?")[0],
    ):
        assert fetch(forged).status_code == 403, forged


def test_a_preview_is_kept_by_caches_under_a_link_that_names_its_version(
    store: Store, s3_settings: Settings
) -> None:
    photo_id = uuid.UUID(int=7)
    for version in (b"first", b"second"):
        previews = Previews(medium=version, dense=version, small=version)
        store_previews(store, 456, photo_id, previews)
    linker = open_linker(s3_settings, store)
    (link,) = preview_links(linker, 456, "dense", [Picture(photo_id, 1_770_000_000)])
    assert "/imgs/456/dense/" in link
    answer = fetch(link)
    assert (answer.status_code, answer.content) == (200, b"second")
    assert answer.headers["content-type"] == "image/webp"
    assert answer.headers["cache-control"] == "private, max-age=31536000, immutable"
    assert fetch(link.replace("x-version=1770000000", "x-version=1770000001")).status_code == 403
    assert "cache-control" not in fetch(linker.links([KEY])[0]).headers


def test_an_expired_link_is_refused(store: Store, s3_settings: Settings) -> None:
    linker = open_linker(s3_settings, store)
    assert fetch(linker.links([KEY], now=time.time() - 3_500)[0]).status_code == 200
    assert fetch(linker.links([KEY], now=time.time() - 3_601)[0]).status_code == 403


@pytest.mark.parametrize("name", ["a b+c%20~é.jpg", "100%.jpg", "x'()*!;=&$,@:.jpg"])
def test_any_name_travels(store: Store, s3_settings: Settings, name: str) -> None:
    key = f"imgs/456/large/{name}"
    store.put(key, b"odd", content_type="image/jpeg", filename=name)
    assert store.get(key) == b"odd"
    answer = fetch(open_linker(s3_settings, store).links([key])[0])
    assert (answer.status_code, answer.content) == (200, b"odd")


def test_a_large_file_arrives_whole_with_its_type_and_name(
    store: Store, s3_settings: Settings, tmp_path: Path
) -> None:
    large = tmp_path / "large.heic"
    large.write_bytes(os.urandom(40_000_000))
    store.put("imgs/456/large/b.heic", large, content_type="image/heic", filename="b.heic")
    answer = fetch(open_linker(s3_settings, store).links(["imgs/456/large/b.heic"])[0])
    assert hashlib.sha256(answer.content).digest() == hashlib.sha256(large.read_bytes()).digest()
    assert answer.headers["content-type"] == "image/heic"
    assert answer.headers["content-disposition"] == 'attachment; filename="b.heic"'


def test_a_missing_object_is_told_from_one_that_is_there(store: Store) -> None:
    gone = "imgs/456/large/gone.jpg"
    assert run(store.exists_many([KEY, gone, KEY])) == [True, False, True]
    with pytest.raises(ObjectMissing):
        store.get(gone)


def test_sixty_are_looked_for_at_once(store: Store) -> None:
    begin = time.perf_counter()
    assert run(store.exists_many([KEY] * 60)) == [True] * 60
    assert time.perf_counter() - begin < 2


def test_the_asynchronous_ways_do_the_same(store: Store) -> None:
    async def travel() -> tuple[bytes, list[bool | StorageError]]:
        key = "imgs/9/large/c.jpg"
        await store.put_async(key, PHOTO, content_type="image/jpeg", filename="c.jpg")
        found = store.get(key)
        await store.delete_many_async([key])
        await store.delete_prefix_async("imgs/9")
        return found, await store.exists_many([key])

    assert run(travel()) == (PHOTO, [False])


def test_deleting_leaves_the_neighbours_alone_and_can_be_repeated(store: Store) -> None:
    keys = ["imgs/4/large/a.jpg", "imgs/4/small/a.jpg", "imgs/45/large/a.jpg"]
    for key in keys:
        store.put(key, b"x", content_type="image/jpeg", filename="a.jpg")
    store.delete_many([keys[0], "imgs/4/large/never.jpg"])
    store.delete_prefix("imgs/4/")
    store.delete_prefix("imgs/4/")
    assert run(store.exists_many(keys)) == [False, False, True]


def test_a_working_store_passes_its_check(store: Store) -> None:
    store.check()


def test_wrong_credentials_are_said_without_naming_them(
    s3_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "some-other-secret")
    store = open_store(s3_settings)
    with pytest.raises(StorageError, match="refused our credentials") as refusal:
        store.put(KEY, PHOTO, content_type="image/jpeg", filename=NAME)
    told = [refusal.value, *run(store.exists_many([KEY]))]
    for error in told:
        assert isinstance(error, FotofinishError)
        assert "some-other-secret" not in error.message
        assert os.environ["AWS_ACCESS_KEY_ID"] not in error.message
    with pytest.raises(StorageError, match="SignatureDoesNotMatch"):
        store.check()


@pytest.mark.parametrize("command", ["serve", "worker"])
@pytest.mark.parametrize(
    ("bucket", "credentials", "message"),
    [
        ("never-made", {}, "s3://never-made does not exist. Make it, or name another."),
        ("photos", {"AWS_ACCESS_KEY_ID": "SOMEBODY"}, "s3://photos refused our credentials"),
        ("photos", {"AWS_SECRET_ACCESS_KEY": "hush-hush"}, "s3://photos refused our credentials"),
    ],
)
def test_nothing_starts_with_a_bucket_or_credentials_that_waiting_will_not_mend(
    s3_settings: Settings, command: str, bucket: str, credentials: dict[str, str], message: str
) -> None:
    url = (s3_settings.storage_url or "").replace("s3://photos", f"s3://{bucket}")
    given = {"FOTOFINISH_DATA_DIR": str(s3_settings.data_dir), "FOTOFINISH_STORAGE_URL": url}
    done = subprocess.run(
        [sys.executable, "-m", "fotofinish", command],
        env={**os.environ, **given, **credentials},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 1
    assert done.stderr.startswith(f"Error: FOTOFINISH_STORAGE_URL: {message}")
    assert len(done.stderr.splitlines()) == 1
    assert not any(secret in done.stderr for secret in ("hush-hush", "SOMEBODY"))


def test_a_server_starts_while_its_bucket_is_away_and_says_so_as_it_will_be_back(
    s3_settings: Settings, database: Database
) -> None:
    (port,) = free_ports(1)
    log = s3_settings.data_dir / "log"
    given = {
        "FOTOFINISH_DATABASE_URL": database.dsn,
        "FOTOFINISH_DATA_DIR": str(s3_settings.data_dir),
        "FOTOFINISH_STORAGE_URL": f"s3://photos?endpoint=http://127.0.0.1:{port}",
    }
    with serving(given, log) as url:
        assert httpx.get(f"{url}/readyz").status_code == 503
    assert log.read_text().startswith("Warning: s3://photos cannot be reached.")


def test_an_endpoint_where_nobody_listens_is_an_error_for_each_key(
    s3_settings: Settings,
) -> None:
    (port,) = free_ports(1)
    assert_unreachable(s3_settings, f"http://127.0.0.1:{port}", "cannot be reached")


def test_an_endpoint_that_never_answers_is_an_error_for_each_key_within_seconds(
    s3_settings: Settings,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        endpoint = f"http://127.0.0.1:{silent.getsockname()[1]}"
        assert_unreachable(s3_settings, endpoint, "did not answer in time|cannot be reached")


def assert_unreachable(settings: Settings, endpoint: str, message: str) -> None:
    elsewhere = settings.model_copy(update={"storage_url": f"s3://photos?endpoint={endpoint}"})
    store = open_store(elsewhere)
    assert isinstance(store, CloudStore)
    begin = time.perf_counter()
    answers = run(store.exists_many([KEY] * 60))
    assert time.perf_counter() - begin < 4
    assert len(answers) == 60
    for answer in answers:
        assert isinstance(answer, StorageError)
        assert not isinstance(answer, ObjectMissing)
        assert re.search(message, answer.message)
