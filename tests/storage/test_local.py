"""The local folder: what is under a key is whole, and survives whoever wrote it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from fotofinish.errors import ObjectMissing, SettingsError, StorageError
from fotofinish.settings import Settings
from fotofinish.storage.folder import FolderStore
from fotofinish.storage.stores import open_store
from tests.loops import run

KEY = "imgs/456/large/a.jpg"
WRITER = """
import sys, time
from pathlib import Path
from fotofinish.storage import folder
store = folder.FolderStore(Path(sys.argv[1]))
print("writing", flush=True)
while True:
    store.put(sys.argv[2], Path(sys.argv[3]), content_type="image/jpeg", filename="a.jpg")
    if sys.argv[4] == "once":
        break
    store.delete_many([sys.argv[2]])
"""


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path / "storage")


def put(store: FolderStore, key: str, data: bytes | Path) -> None:
    store.put(key, data, content_type="image/jpeg", filename=key.rpartition("/")[2])


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


@pytest.mark.parametrize("size", [0, 1, 3_000_000])
def test_what_was_put_is_what_is_got(store: FolderStore, tmp_path: Path, size: int) -> None:
    photo = os.urandom(size)
    source = tmp_path / "source.jpg"
    source.write_bytes(photo)
    put(store, KEY, photo)
    put(store, "imgs/456/large/b.jpg", source)
    assert store.get(KEY) == store.get("imgs/456/large/b.jpg") == photo
    assert source.read_bytes() == photo


def test_putting_again_replaces_the_whole(store: FolderStore) -> None:
    put(store, KEY, b"long " * 100)
    put(store, KEY, b"short")
    assert store.get(KEY) == b"short"
    assert files(store.root) == [store.path(KEY)]


def test_a_writer_killed_at_any_moment_leaves_the_whole_or_nothing(tmp_path: Path) -> None:
    root, source = tmp_path / "storage", tmp_path / "source.jpg"
    photo = os.urandom(20_000_000)
    source.write_bytes(photo)
    arguments = [sys.executable, "-c", WRITER, str(root), KEY, str(source), "ever"]
    for delay in (0.0, 0.005, 0.015, 0.03, 0.06, 0.1):
        with subprocess.Popen(arguments, stdout=subprocess.PIPE) as writer:
            assert writer.stdout is not None
            writer.stdout.readline()
            time.sleep(delay)
            writer.kill()
        found = root / KEY
        assert not found.exists() or found.read_bytes() == photo


def test_a_reader_never_sees_a_part_while_an_object_is_replaced(
    store: FolderStore, tmp_path: Path
) -> None:
    source = tmp_path / "source.jpg"
    source.write_bytes(b"new" * 1_000_000)
    put(store, KEY, b"old" * 1_000_000)
    arguments = [sys.executable, "-c", WRITER, str(store.root), KEY, str(source), "once"]
    seen = set()
    with subprocess.Popen(arguments, stdout=subprocess.PIPE) as writer:
        while writer.poll() is None:
            seen.add(store.get(KEY))
    seen.add(store.get(KEY))
    assert seen == {b"old" * 1_000_000, b"new" * 1_000_000}


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc to see what was flushed")
def test_the_bytes_and_the_name_are_on_the_disk_before_put_returns(
    store: FolderStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    flushed: list[str] = []
    fsync = os.fsync

    def noting(descriptor: int) -> None:
        flushed.append(str(Path(f"/proc/self/fd/{descriptor}").readlink()))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", noting)
    put(store, KEY, b"photo")
    assert Path(flushed[0]).parent == store.root / ".incoming"
    parents = [store.path(KEY).parent, *store.path(KEY).parent.parents]
    for folder in parents[: parents.index(store.root) + 1]:
        assert str(folder) in flushed
    assert flushed[-1] == str(store.path(KEY).parent)


def test_what_a_killed_writer_left_is_swept_away_after_a_day(store: FolderStore) -> None:
    old, fresh = (store.root / ".incoming" / name for name in ("old", "fresh"))
    for leftover in (old, fresh):
        leftover.write_bytes(b"half")
    yesterday = time.time() - 25 * 3600
    os.utime(old, (yesterday, yesterday))
    FolderStore(store.root)
    assert (old.exists(), fresh.exists()) == (False, True)


def test_a_failed_write_leaves_nothing(store: FolderStore, tmp_path: Path) -> None:
    with pytest.raises(StorageError) as refusal:
        put(store, KEY, tmp_path / "not there.jpg")
    assert not isinstance(refusal.value, ObjectMissing)
    assert str(tmp_path) not in refusal.value.message
    assert files(store.root) == []


@pytest.mark.parametrize(
    "key",
    [
        "",
        "/",
        "/etc/passwd",
        "..",
        "../outside.jpg",
        "imgs/../../outside.jpg",
        "imgs/./a.jpg",
        "imgs//a.jpg",
        "imgs/a.jpg/",
        ".incoming/a.jpg",
        "imgs/.hidden",
        "imgs\\..\\a.jpg",
        "imgs/a\0.jpg",
        "imgs/a\n.jpg",
        "imgs/\udcff.jpg",
        "a" * 256,
        "é" * 128,
        "a/" * 512 + "a",
    ],
)
def test_a_key_that_bends_the_path_is_refused_by_every_operation(
    store: FolderStore, tmp_path: Path, key: str
) -> None:
    (tmp_path / "outside.jpg").write_bytes(b"mine")
    for attempt in (
        lambda: put(store, key, b"x"),
        lambda: store.get(key),
        lambda: store.delete_many([key]),
        lambda: store.path(key),
    ):
        with pytest.raises(StorageError, match="not a key"):
            attempt()
    (answer,) = run(store.exists_many([key]))
    assert isinstance(answer, StorageError)
    assert (tmp_path / "outside.jpg").read_bytes() == b"mine"


def test_a_prefix_that_bends_the_path_deletes_nothing(store: FolderStore) -> None:
    put(store, KEY, b"x")
    for prefix in ("", "/", "..", "imgs/..", "."):
        with pytest.raises(StorageError):
            store.delete_prefix(prefix)
    assert run(store.exists_many([KEY])) == [True]


def test_a_missing_object_is_told_from_one_that_is_there(store: FolderStore) -> None:
    put(store, KEY, b"x")
    keys = [KEY, "imgs/456/large/gone.jpg", f"{KEY}/below", KEY]
    assert run(store.exists_many(keys)) == [True, False, False, True]
    for gone in (*keys[1:3], "imgs/456"):
        with pytest.raises(ObjectMissing) as refusal:
            store.get(gone)
        assert str(store.root) not in refusal.value.message


def test_the_photos_are_not_for_every_user_of_the_machine(store: FolderStore) -> None:
    assert store.root.stat().st_mode & 0o007 == 0


def test_a_folder_is_not_an_object(store: FolderStore) -> None:
    put(store, KEY, b"x")
    assert run(store.exists_many(["imgs/456"])) == [False]


def test_deleting_leaves_the_neighbours_alone_and_can_be_repeated(store: FolderStore) -> None:
    keys = ["imgs/4/large/a.jpg", "imgs/4/small/a.jpg", "imgs/45/large/a.jpg"]
    for key in keys:
        put(store, key, b"x")
    store.delete_many([keys[0], "imgs/4/large/never.jpg"])
    store.delete_prefix("imgs/4/")
    store.delete_prefix("imgs/4")
    store.delete_prefix("imgs/45/large/a.jpg")
    assert run(store.exists_many(keys)) == [False, False, True]


def test_all_of_a_folder_goes_though_somebody_else_deletes_in_it(
    store: FolderStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = [f"imgs/4/large/{number}.jpg" for number in range(20)]
    for key in keys:
        put(store, key, b"x")
    unlink, taken = os.unlink, store.path(keys[7])

    def beside_another(*given: Any, **more: Any) -> None:
        if taken.exists():
            unlink(taken)
        unlink(*given, **more)

    monkeypatch.setattr(os, "unlink", beside_another)
    store.delete_prefix("imgs/4")
    monkeypatch.undo()
    assert run(store.exists_many(keys)) == [False] * len(keys)


def test_the_asynchronous_ways_do_the_same(store: FolderStore) -> None:
    async def travel() -> tuple[bytes, list[bool | StorageError]]:
        await store.put_async(KEY, b"photo", content_type="image/jpeg", filename="a.jpg")
        found = store.get(KEY)
        await store.delete_many_async([KEY])
        await store.delete_prefix_async("imgs/456")
        return found, await store.exists_many([KEY])

    assert run(travel()) == (b"photo", [False])


def test_an_unusable_folder_is_an_error_that_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    settings = Settings(storage_url=f"file://{tmp_path}/file/storage", data_dir=tmp_path)
    with pytest.raises(SettingsError, match="STORAGE_URL: The storage folder failed: Not a dir"):
        open_store(settings)


def test_a_working_folder_passes_its_check_and_stays_empty(store: FolderStore) -> None:
    store.check()
    assert files(store.root) == []
