"""A selfie search in an event of 100,000 faces: over HTTP, from the picture to the first photos.

The peer is NumPy's brute force with the same models, in one process: the picture decoded, its face
found and embedded, the product with a matrix of all templates, the similar ones sorted. It keeps
nothing, checks no key and asks no database. Both read the same portrait; templates are random unit
vectors, and one photo in a thousand shows the portrait's face.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import httpx
import numpy as np
import numpy.typing as npt
import psycopg

from benchmarks.clock import median_ms
from benchmarks.private import private_settings
from benchmarks.race_data import BigRace, make_big_race
from benchmarks.serving import run_ours, serving
from benchmarks.tables import Row, print_table
from fotofinish.arrays import Floats
from fotofinish.database.connection import Database, open_database
from fotofinish.demo.portrait import portrait_path
from fotofinish.faces.reading import LONG_SIDE
from fotofinish.faces.templates import as_halfvec
from fotofinish.photos.decoding import decode
from fotofinish.photos.formats import HEAD_BYTES, sniff
from fotofinish.vision.faces import DEFAULT_MATCH_THRESHOLD, FaceFinder

SHOWING = 1000  # one photo in so many shows the portrait's face
LIKENESS = 0.6  # and how alike its template is
MAX_PIXELS = 100_000_000


def main(faces: int = 100_000, calls: int = 40) -> dict[str, float]:
    """Median milliseconds of a search, ours and the peer's, and the ratio."""
    finder, selfie = FaceFinder(), portrait_path().read_bytes()
    templates = _templates(_embed(finder, selfie), faces)
    with tempfile.TemporaryDirectory(prefix="ff-", ignore_cleanup_errors=True) as name:
        settings = private_settings(Path(name), search_rate=0)
        with open_database(settings) as database:
            race = make_big_race(database, faces)
            _store(database, race, templates, finder.model)
            with serving(run_ours, settings, database, {}) as port:
                ours = _ours(port, race, selfie, calls, shown=-(-faces // SHOWING))
    peer = median_ms(lambda: _brute_force(finder, selfie, templates), calls)
    template = median_ms(lambda: _embed(finder, selfie), calls)
    rows = [
        Row("from the picture to the photos", ours, peer),
        Row("the template alone, in this process", template),
    ]
    print_table(f"A selfie search in {faces:,} faces, ms", rows)
    return {"selfie search: ms": ours, "selfie search: times brute force": ours / peer}


def _templates(selfie: Floats, faces: int) -> Floats:
    """Random unit vectors, some of which are as alike to the selfie as photos of one person are."""
    random = np.random.default_rng(7).standard_normal((faces, len(selfie)), dtype=np.float32)
    random[::SHOWING] -= np.outer(random[::SHOWING] @ selfie, selfie)
    random /= np.linalg.norm(random, axis=1, keepdims=True)
    random[::SHOWING] = LIKENESS * selfie + np.sqrt(1 - LIKENESS**2) * random[::SHOWING]
    return random


def _store(database: Database, race: BigRace, templates: Floats, model: str) -> None:
    """One face a photo."""
    with psycopg.connect(database.dsn, autocommit=True) as connection:
        photos = connection.execute(
            "select id from photo where event_id = %s order by captured_at", [race.event_id]
        ).fetchall()
        connection.execute("set session_replication_role = replica")
        statement = """copy face (photo_id, event_id, box, score, quality, model, embedding)
                       from stdin"""
        with connection.cursor() as cursor, cursor.copy(statement) as copy:
            for (photo,), template in zip(photos, templates, strict=True):
                box = [0.0, 0.0, 100.0, 100.0]
                row = (photo, race.event_id, box, 0.9, 0.9, model, as_halfvec(template))
                copy.write_row(row)
        connection.execute("vacuum (analyze) face")


def _ours(port: int, race: BigRace, selfie: bytes, calls: int, *, shown: int) -> float:
    url = f"http://127.0.0.1:{port}/api/v1/ext/{race.org_id}/event/{race.event_id}/faces"
    with httpx.Client(headers={"X-API-Key": race.key}, timeout=60, trust_env=False) as client:

        def search() -> None:
            answer = client.post(url, files={"file": ("me.png", selfie)}).json()
            assert answer["data"]["pagination"]["total"] >= shown  # a stranger may be alike

        return median_ms(search, calls)


def _brute_force(finder: FaceFinder, selfie: bytes, templates: Floats) -> npt.NDArray[np.int64]:
    cosines = templates @ _embed(finder, selfie)
    alike = np.flatnonzero(cosines >= DEFAULT_MATCH_THRESHOLD)
    return alike[np.argsort(-cosines[alike])]


def _embed(finder: FaceFinder, selfie: bytes) -> Floats:
    decoded = decode(
        selfie, sniff(selfie[:HEAD_BYTES]), max_pixels=MAX_PIXELS, target_long_side=LONG_SIDE
    )
    embedding = finder.find(decoded.pixels)[0].embedding
    assert embedding is not None
    return embedding


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--faces", type=int, default=100_000)
    parser.add_argument("--calls", type=int, default=40)
    given = parser.parse_args()
    main(given.faces, given.calls)
