"""From a file to a photo that is found: bibs, faces, matches both ways, and deletion."""

from __future__ import annotations

import asyncio
import errno
import shutil
import uuid
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from fotofinish.arrays import Pixels
from fotofinish.bibs.corrections import add_bib, remove_bib
from fotofinish.database.connection import open_pool
from fotofinish.errors import StorageError
from fotofinish.events.startlist_files import Entry
from fotofinish.events.startlists import replace_startlist
from fotofinish.faces.selfies import delete_search, store_search
from fotofinish.faces.templates import as_halfvec
from fotofinish.photos.changes import turn_photos
from fotofinish.photos.gallery import images_of_bib
from fotofinish.photos.intake import Incoming, Outcome, take_in
from fotofinish.photos.redrawing import count_stale, queue_old_previews
from fotofinish.photos.watermark import Watermark, save_watermark
from fotofinish.queue import make_queue
from fotofinish.settings import load_settings
from fotofinish.storage.stores import open_store
from fotofinish.vision.faces import DEFAULT_MATCH_THRESHOLD
from tests.loops import run
from tests.processing.conftest import Bench


def _runner(portrait: Pixels, bib: str, brightness: float = 1.0) -> Pixels:
    """The portrait with a bib pinned below the face."""
    picture = Image.fromarray(np.ascontiguousarray(portrait[:, :, ::-1]))
    draw = ImageDraw.Draw(picture)
    draw.rectangle((140, 300, 330, 420), fill="white", outline="black", width=3)
    draw.text(
        (235, 360), bib, fill="black", anchor="mm", stroke_width=2,
        font=ImageFont.load_default(72),
    )  # fmt: skip
    pixels = np.asarray(picture)[:, :, ::-1] * brightness
    return np.ascontiguousarray(pixels.astype(np.uint8))


def _search(bench: Bench, portrait: Pixels) -> uuid.UUID:
    face = bench.recogniser.read(portrait, 512, 512).faces[0]
    assert face.embedding is not None
    request_id = uuid.uuid4()
    bench.run(
        lambda c: store_search(
            c,
            bench.event_id,
            request_id,
            embedding=as_halfvec(face.embedding),
            model=bench.recogniser.face_model,
            threshold=DEFAULT_MATCH_THRESHOLD,
            keep_days=1,
        )
    )
    return request_id


def _matches(bench: Bench, request_id: uuid.UUID) -> set[object]:
    rows = bench.query("select photo_id from selfie_match where selfie_id = %s", request_id)
    return {row[0] for row in rows}


def _counts(bench: Bench, photo: uuid.UUID) -> tuple[object, ...]:
    """Tags, faces and matches of a photo."""
    (counts,) = bench.query(
        """select (select count(*) from bib_tag where photo_id = %s),
                  (select count(*) from face where photo_id = %s),
                  (select count(*) from selfie_match where photo_id = %s)""",
        *[photo] * 3,
    )
    return counts


def test_a_photo_becomes_ready_with_its_bib_and_face(bench: Bench, portrait: Pixels) -> None:
    (photo,) = bench.import_and_process(bench.write("a.jpg", _runner(portrait, "4711")))
    assert bench.query("select state, width, height from photo where id = %s", photo) == [
        ("ready", 512, 512)
    ]
    assert bench.query("select bib, source from bib_tag where photo_id = %s", photo) == [
        ("4711", "read")
    ]
    assert bench.query("select count(*) from face where photo_id = %s", photo) == [(1,)]
    for size in ("medium", "dense", "small"):
        folder = bench.folder / "storage" / "imgs" / str(bench.event_id) / size
        assert (folder / f"{photo}.webp").is_file()


def test_processing_twice_changes_nothing(bench: Bench, portrait: Pixels) -> None:
    (photo,) = bench.import_and_process(bench.write("a.jpg", _runner(portrait, "4711")))
    request = _search(bench, portrait)
    before = _counts(bench, photo)
    bench.process(photo, photo)
    assert before == _counts(bench, photo) == (1, 1, 1)
    assert _matches(bench, request) == {photo}


def test_a_tag_by_hand_survives_processing_again(bench: Bench, portrait: Pixels) -> None:
    (photo,) = bench.import_and_process(bench.write("a.jpg", _runner(portrait, "4711")))
    bench.query(
        "update bib_tag set bib = '4712', source = 'hand' where photo_id = %s returning 1", photo
    )
    bench.process(photo)
    assert ("4712", "hand") in bench.query(
        "select bib, source from bib_tag where photo_id = %s", photo
    )


def test_a_photo_is_read_with_the_start_list_that_its_event_has_then(
    bench: Bench, portrait: Pixels
) -> None:
    photos = bench.import_and_process(
        *(bench.write(f"{number}.jpg", _runner(portrait, "A-7", 1 - number / 10))
          for number in range(3))
    )  # fmt: skip

    def list_these(*bibs: str) -> None:
        entries = [Entry(bib, None) for bib in bibs]
        bench.run(lambda c: replace_startlist(c, bench.event_id, entries))

    def tags() -> list[tuple[object, ...]]:
        return bench.query(
            """select photo.name, bib from bib_tag join photo on photo.id = photo_id
               where photo_id = any(%s) order by photo.name""",
            photos,
        )

    assert tags() == []
    list_these("A7", "4711")
    bench.process(*photos)
    assert tags() == [("0.jpg", "A7"), ("1.jpg", "A7"), ("2.jpg", "A7")]
    bench.process(*photos, meanwhile=lambda: list_these("A-7"))
    assert tags() == [("0.jpg", "A7"), ("1.jpg", "A-7"), ("2.jpg", "A-7")]


def test_a_selfie_finds_photos_that_come_before_and_after_it(
    bench: Bench, portrait: Pixels
) -> None:
    (first,) = bench.import_and_process(bench.write("a.jpg", _runner(portrait, "11")))
    request = _search(bench, portrait)
    assert _matches(bench, request) == {first}
    (second,) = bench.import_and_process(bench.write("b.jpg", _runner(portrait, "12", 0.6)))
    assert _matches(bench, request) == {first, second}


def test_a_deleted_photo_leaves_no_tag_template_match_or_file(
    bench: Bench, portrait: Pixels
) -> None:
    (photo,) = bench.import_and_process(bench.write("a.jpg", _runner(portrait, "4711")))
    request = _search(bench, portrait)
    bench.delete(photo)
    assert _matches(bench, request) == set()
    assert _counts(bench, photo) == (0, 0, 0)
    bench.clear()
    assert not list((bench.folder / "storage").rglob(f"{photo}*"))


def test_a_photo_that_is_deleted_while_it_is_read_leaves_no_previews(
    bench: Bench, portrait: Pixels
) -> None:
    (photo,) = bench.import_and_process(bench.write("a.jpg", portrait))

    def meanwhile() -> None:
        bench.delete(photo)
        bench.clear()

    bench.process(photo, meanwhile=meanwhile)
    assert _counts(bench, photo) == (0, 0, 0)
    assert not list((bench.folder / "storage").rglob(f"{photo}*"))


def test_a_photo_that_is_deleted_and_put_in_again_while_it_is_read_is_read(
    bench: Bench, portrait: Pixels
) -> None:
    path = bench.write("a.jpg", _runner(portrait, "4711"))
    (photo,) = bench.import_and_process(path)
    left = [1]

    def meanwhile() -> None:
        if left:
            left.pop()
            bench.delete(photo)
            bench.clear()
            bench.take_in(path)

    bench.process(photo, meanwhile=meanwhile)
    assert bench.query("select state from photo where id = %s", photo) == [("ready",)]
    assert _counts(bench, photo)[0] == 1
    names = {path.parent.name for path in (bench.folder / "storage").rglob(f"{photo}*")}
    assert names == {"large", "medium", "dense", "small"}


def test_a_deleted_photo_that_is_put_in_again_keeps_its_bytes(
    bench: Bench, portrait: Pixels
) -> None:
    path = bench.write("a.jpg", portrait)
    (photo,) = bench.import_and_process(path)
    bench.delete(photo)
    assert bench.import_and_process(path) == [photo]
    bench.clear()
    (original,) = (bench.folder / "storage").rglob(f"large/{photo}.jpg")
    assert original.read_bytes() == path.read_bytes()


def test_a_deleted_selfie_leaves_no_template_or_match(bench: Bench, portrait: Pixels) -> None:
    bench.import_and_process(bench.write("a.jpg", _runner(portrait, "4711")))
    request = _search(bench, portrait)
    assert bench.run(lambda c: delete_search(c, bench.event_id, request))
    assert _matches(bench, request) == set()
    assert bench.query("select count(*) from selfie where id = %s", request) == [(0,)]


def test_what_people_say_survives_reading_again(bench: Bench, portrait: Pixels) -> None:
    (photo,) = bench.import_and_process(bench.write("a.jpg", _runner(portrait, "4711")))
    bench.run(lambda c: remove_bib(c, bench.event_id, [photo], "4711"))
    bench.run(lambda c: add_bib(c, bench.event_id, [photo], "99"))
    bench.process(photo)
    tags = bench.query("select bib, source from bib_tag where photo_id = %s", photo)
    assert tags == [("99", "hand")]


def test_a_number_said_before_its_photo_is_read_finds_it_at_the_time_of_capture(
    bench: Bench, portrait: Pixels
) -> None:
    path, exif = bench.folder / "a.jpg", Image.Exif()
    exif.get_ifd(0x8769)[0x9003] = "2026:05:09 11:00:00"
    Image.fromarray(portrait[:200, :, ::-1]).save(path, exif=exif)
    (photo,) = bench.take_in(path)
    bench.run(lambda c: add_bib(c, bench.event_id, [photo], "99"))
    for time_zone, hour in (("UTC", 11), ("Asia/Tokyo", 2)):
        bench.query(
            "update event set time_zone = %s where id = %s returning 1", time_zone, bench.event_id
        )
        bench.process(photo)
        page = bench.run(lambda c: images_of_bib(c, bench.event_id, "99", offset=0, limit=9))
        assert [image.id for image in page.images] == [photo]
        assert bench.query(
            "select captured_at at time zone 'UTC' from bib_tag where photo_id = %s", photo
        ) == [(datetime(2026, 5, 9, hour),)]


def test_a_turned_photo_has_its_previews_turned_and_its_original_untouched(
    bench: Bench, portrait: Pixels
) -> None:
    path = bench.write("a.jpg", portrait[:200])
    (photo,) = bench.import_and_process(path)
    queue, link = make_queue(bench.database.dsn), bench.preview_link(photo)
    bench.run(lambda c: turn_photos(c, queue, bench.event_id, [photo], quarters=1))
    assert bench.preview_link(photo) == link  # nothing new lies there yet
    bench.process(photo)
    assert bench.preview_link(photo) != link
    size = bench.query("select width, height from photo where id = %s", photo)
    assert size == [(200, portrait.shape[1])]
    stored = bench.folder / "storage" / "imgs" / str(bench.event_id)
    preview = cv2.imread(str(stored / "medium" / f"{photo}.webp"))
    assert preview.shape[:2] == (portrait.shape[1], 200)
    upright = np.rot90(preview)  # turned back
    assert abs(upright.astype(int) - portrait[:200]).mean() < 8
    assert (stored / "large" / f"{photo}.jpg").read_bytes() == path.read_bytes()


def test_a_photo_that_is_turned_while_it_is_read_is_read_turned(
    bench: Bench, portrait: Pixels
) -> None:
    (photo,) = bench.import_and_process(bench.write("a.jpg", portrait[:200]))
    queue, turns = make_queue(bench.database.dsn), [1]

    def meanwhile() -> None:
        if turns:
            quarters = turns.pop()
            bench.run(lambda c: turn_photos(c, queue, bench.event_id, [photo], quarters=quarters))

    bench.process(photo, meanwhile=meanwhile)
    size = bench.query("select width, height, state from photo where id = %s", photo)
    assert size == [(200, portrait.shape[1], "ready")]
    stored = bench.folder / "storage" / "imgs" / str(bench.event_id)
    preview = cv2.imread(str(stored / "medium" / f"{photo}.webp"))
    assert preview.shape[:2] == (portrait.shape[1], 200)


def test_where_a_bib_by_hand_was_is_forgotten_when_its_photo_is_turned(
    bench: Bench, portrait: Pixels
) -> None:
    (photo,) = bench.import_and_process(bench.write("a.jpg", _runner(portrait, "4711")))
    bench.run(lambda c: add_bib(c, bench.event_id, [photo], "4711"))
    queue = make_queue(bench.database.dsn)
    bench.run(lambda c: turn_photos(c, queue, bench.event_id, [photo], quarters=1))
    tags = bench.query("select bib, source, box from bib_tag where photo_id = %s", photo)
    assert tags == [("4711", "hand", None)]


def test_a_changed_watermark_is_drawn_without_reading_the_photo_again(
    bench: Bench, portrait: Pixels
) -> None:
    (photo,) = bench.import_and_process(bench.write("a.jpg", _runner(portrait, "4711")))
    stored = bench.folder / "storage" / "imgs" / str(bench.event_id)
    original = (stored / "large" / f"{photo}.jpg").read_bytes()
    plain = (stored / "medium" / f"{photo}.webp").read_bytes()
    bench.run(lambda c: add_bib(c, bench.event_id, [photo], "99"))
    link = bench.preview_link(photo)
    known = bench.query("select processed_at from photo where id = %s", photo)
    queue = make_queue(bench.database.dsn)
    mark = Watermark(kind="text", text="Harbour Run")
    bench.run(lambda c: save_watermark(c, queue, bench.event_id, mark))
    assert bench.redraw() is False
    marked = (stored / "medium" / f"{photo}.webp").read_bytes()
    assert marked != plain
    assert (stored / "large" / f"{photo}.jpg").read_bytes() == original
    assert bench.query("select processed_at from photo where id = %s", photo) == known
    assert bench.query("select preview_version from photo where id = %s", photo) == [(1,)]
    assert bench.preview_link(photo) != link
    bench.process(photo)  # reading it again keeps the mark
    assert (stored / "medium" / f"{photo}.webp").read_bytes() == marked


def test_a_mark_that_is_changed_while_a_photo_is_read_is_drawn_after_it(
    bench: Bench, portrait: Pixels
) -> None:
    (photo,) = bench.import_and_process(bench.write("a.jpg", portrait))
    queue, mark = make_queue(bench.database.dsn), Watermark(kind="text", text="Harbour Run")

    def meanwhile() -> None:
        bench.run(lambda c: save_watermark(c, queue, bench.event_id, mark))

    assert bench.process(photo) == [None]
    assert bench.process(photo, meanwhile=meanwhile) == [bench.event_id]
    assert bench.query("select preview_version from photo where id = %s", photo) == [(0,)]


def test_previews_of_an_older_version_are_shown_and_then_drawn_again(
    bench: Bench, portrait: Pixels
) -> None:
    good, bad = bench.import_and_process(
        bench.write("a.jpg", portrait), bench.write("b.jpg", portrait[::-1])
    )
    bench.make_previews_old(good, bad)
    stored = bench.folder / "storage" / "imgs" / str(bench.event_id)
    assert f"/medium/{good}.jpg?" in bench.preview_link(good)
    (stored / "large" / f"{bad}.jpg").unlink()
    assert bench.redraw() is False
    for size in ("medium", "dense", "small"):
        assert (stored / size / f"{good}.webp").is_file()
    assert not list(stored.glob(f"[ms]*/{good}.jpg"))
    assert f"/medium/{good}.webp?" in bench.preview_link(good)
    assert f"/medium/{bad}.jpg?" in bench.preview_link(bad)  # it keeps what it has
    assert (stored / "medium" / f"{bad}.jpg").is_file()
    assert bench.run(lambda c: count_stale(c, bench.event_id, 0)) == 0


def test_whoever_starts_first_queues_what_an_older_version_drew(
    bench: Bench, portrait: Pixels
) -> None:
    (photo,) = bench.import_and_process(bench.write("a.jpg", portrait))
    bench.make_previews_old(photo)

    async def start() -> None:
        queue = make_queue(bench.database.dsn)
        async with open_pool(bench.database, size=2) as pool, queue.open_async():
            await queue_old_previews(pool, queue)

    for _ in range(2):
        run(start())
    jobs = bench.query(
        """select args from procrastinate_jobs
           where task_name = 'fotofinish:redraw_previews' and (args->>'event_id')::int = %s""",
        bench.event_id,
    )
    assert len(jobs) == 1


def test_previews_of_an_older_version_go_when_the_photo_is_read_again(
    bench: Bench, portrait: Pixels
) -> None:
    (photo,) = bench.import_and_process(bench.write("a.jpg", portrait))
    bench.make_previews_old(photo)
    bench.process(photo)
    left = {path.suffix for path in (bench.folder / "storage").rglob(f"[ms]*/{photo}.*")}
    assert left == {".webp"}


def test_a_damaged_photo_fails_with_a_reason_and_keeps_its_original(bench: Bench) -> None:
    ok, jpeg = cv2.imencode(".jpg", np.full((400, 400, 3), 90, np.uint8))
    assert ok
    path = bench.folder / "damaged.jpg"
    path.write_bytes(jpeg.tobytes()[:120])
    (photo,) = bench.import_and_process(path)
    ((state, reason),) = bench.query("select state, reason from photo where id = %s", photo)
    assert state == "failed"
    assert "damaged" in str(reason) or "too early" in str(reason)
    assert list((bench.folder / "storage").rglob(f"{photo}.jpg"))


def test_an_original_that_is_gone_fails_with_a_reason(bench: Bench, portrait: Pixels) -> None:
    (photo,) = bench.import_and_process(bench.write("a.jpg", portrait))
    for path in (bench.folder / "storage").rglob(f"large/{photo}.jpg"):
        path.unlink()
    bench.process(photo)
    ((state, reason),) = bench.query("select state, reason from photo where id = %s", photo)
    assert (state, reason) == ("failed", "The original is missing from storage.")


def test_the_same_bytes_in_one_event_are_one_photo(bench: Bench, portrait: Pixels) -> None:
    bench.import_and_process(bench.write("a.jpg", portrait), bench.write("copy.jpg", portrait))
    bench.import_and_process(bench.write("again.jpg", portrait))
    assert bench.query("select count(*) from photo where event_id = %s", bench.event_id) == [(1,)]


def test_the_same_bytes_taken_in_at_once_are_one_photo(bench: Bench, portrait: Pixels) -> None:
    paths = [bench.write(f"{shade}.jpg", portrait // shade) for shade in range(1, 13)]
    queue, store = make_queue(bench.database.dsn), open_store(load_settings(data_dir=bench.folder))

    async def act() -> None:
        async with open_pool(bench.database, size=8) as pool, queue.open_async():
            for path in paths:
                file = [Incoming(path)]
                taking = [
                    take_in(pool, store, queue, bench.event_id, file, max_bytes=10**7)
                    for _ in range(8)
                ]
                await asyncio.gather(*taking)

    run(act())
    counted = bench.query("select count(*) from photo where event_id = %s", bench.event_id)
    assert counted == [(len(paths),)]


def test_a_slow_store_keeps_nobody_from_the_database(
    bench: Bench, portrait: Pixels, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = bench.write("a.jpg", portrait)
    queue, store = make_queue(bench.database.dsn), open_store(load_settings(data_dir=bench.folder))
    put, answered = store.put_async, []

    async def act() -> None:
        async with open_pool(bench.database, size=1) as pool, queue.open_async():

            async def put_slowly(*args: Any, **more: Any) -> None:
                async with pool.connection(timeout=10) as connection:
                    answered.append(await (await connection.execute("select 1")).fetchone())
                await put(*args, **more)

            monkeypatch.setattr(store, "put_async", put_slowly)
            await take_in(pool, store, queue, bench.event_id, [Incoming(path)], max_bytes=10**7)

    run(act())
    assert answered == [(1,)]


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("change", [Path.unlink, lambda path: path.write_bytes(b"new on the card")])
def test_a_file_that_changes_while_it_is_taken_in_is_rejected_and_keeps_nothing_else_out(
    bench: Bench,
    portrait: Pixels,
    monkeypatch: pytest.MonkeyPatch,
    change: Callable[[Path], object],
    when: str,
) -> None:
    first, copy = bench.write("first.jpg", portrait), bench.write("copy.jpg", portrait)
    other, lost = bench.write("other.jpg", portrait // 2), bench.write("lost.jpg", portrait // 3)
    original = first.read_bytes()
    queue, store = make_queue(bench.database.dsn), open_store(load_settings(data_dir=bench.folder))
    put = store.put_async

    async def act() -> list[Outcome]:
        async with open_pool(bench.database, size=1) as pool, queue.open_async():

            async def put_late(key: str, path: Path, **more: Any) -> None:
                if when == "after":
                    await put(key, path, **more)
                if path in (first, lost):
                    change(path)
                if when == "before":
                    await put(key, path, **more)

            monkeypatch.setattr(store, "put_async", put_late)
            files = [Incoming(path) for path in (first, lost, other, copy)]
            return await take_in(pool, store, queue, bench.event_id, files, max_bytes=10**7)

    outcomes = run(act())
    assert [outcome.result for outcome in outcomes] == ["rejected", "rejected", "stored", "stored"]
    assert {outcome.reason for outcome in outcomes[:2]} == {
        "The file changed or went away while it was read. Import it again."
    }
    kept = bench.query("select name, id from photo where event_id = %s", bench.event_id)
    assert {name for name, _ in kept} == {other.name, copy.name}
    (stored,) = (bench.folder / "storage").rglob(f"{dict(kept)[copy.name]}.jpg")
    assert stored.read_bytes() == original


def test_a_store_that_fails_ends_an_intake_with_its_reason(bench: Bench, portrait: Pixels) -> None:
    path = bench.write("a.jpg", portrait)
    (bench.folder / "storage").mkdir()
    (bench.folder / "storage" / "imgs").write_text("where a folder has to be")
    with pytest.raises(StorageError, match="The storage folder failed"):
        bench.take_in(path)


def test_a_file_that_cannot_be_read_again_to_store_it_keeps_no_other_out(
    bench: Bench, portrait: Pixels, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad, good = bench.write("bad.jpg", portrait), bench.write("good.jpg", portrait // 2)
    copy, open_file, worn_out = shutil.copyfile, Path.open, set()

    def copy_or_fail(source: Path, target: Path) -> None:
        if source == bad:
            worn_out.add(source)
            raise OSError(errno.EIO, "Input/output error")
        copy(source, target)

    def open_or_fail(path: Path, *how: Any, **more: Any) -> Any:
        if path in worn_out:
            raise OSError(errno.EIO, "Input/output error")
        return open_file(path, *how, **more)

    monkeypatch.setattr(shutil, "copyfile", copy_or_fail)
    monkeypatch.setattr(Path, "open", open_or_fail)
    assert len(bench.take_in(bad, good)) == 1
    assert bench.query("select name from photo where event_id = %s", bench.event_id) == [
        ("good.jpg",)
    ]
