"""Bibs: which numbers are read on real race photos, ours against RapidOCR as it comes.

On `../shared/data/bibs` (see its SOURCES.md): a photo's predicted set of bibs against its true set,
over all photos of a folder. Numbers in `optional.csv` count neither way. The peer is RapidOCR 3.10
with its defaults and a digits filter; both run in this process, on one thread, on the same pixels.
"""

from __future__ import annotations

import argparse
import csv
import random
import re
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2

from benchmarks.clock import Clock
from benchmarks.tables import Row, print_table
from fotofinish.arrays import Pixels, as_pixels
from fotofinish.bibs.listed import StartList
from fotofinish.bibs.plausibility import bibs_from
from fotofinish.recognition import Recogniser

BIBS = Path(__file__).resolve().parents[2] / "shared" / "data" / "bibs"
SETS = ("rbnr", "heinrich", "casablanca", "alfanick")
FALSE_ENTRIES = 5000
STEP_PHOTOS = 10
NUMBER = re.compile(r"\d{1,6}")
# the numbers of a photo, without a start list and with one
Read = Callable[[Pixels, StartList], tuple[set[str], set[str]]]


@dataclass(frozen=True, slots=True)
class Labelled:
    """A photo and the bibs on it; `optional` ones may be read or not."""

    path: Path
    bibs: frozenset[str]
    optional: frozenset[str]


@dataclass(slots=True)
class Score:
    """True, false and missed bibs."""

    right: int = 0
    wrong: int = 0
    missed: int = 0

    def add(self, photo: Labelled, bibs: set[str]) -> None:
        """Count one photo."""
        self.right += len(bibs & photo.bibs)
        self.wrong += len(bibs - photo.bibs - photo.optional)
        self.missed += len(photo.bibs - bibs)

    @property
    def precision(self) -> float:
        return self.right / max(self.right + self.wrong, 1)

    @property
    def recall(self) -> float:
        return self.right / max(self.right + self.missed, 1)

    @property
    def f(self) -> float:
        return 2 * self.right / max(2 * self.right + self.wrong + self.missed, 1)


def labelled_photos(folder: Path) -> list[Labelled]:
    """The photos of one set, sorted by name."""
    bibs, optional = _labels(folder / "labels.csv"), _labels(folder / "optional.csv")
    return [
        Labelled(path, frozenset(bibs[path.name]), frozenset(optional[path.name]))
        for path in sorted((folder / "images").iterdir())
    ]


def start_list_of(photos: Iterable[Labelled], false_entries: int = FALSE_ENTRIES) -> StartList:
    """All true bibs of the photos, and as many false ones of the same shapes, always the same."""
    true = sorted({bib for photo in photos for bib in photo.bibs})
    dice = random.Random(42)
    entries = set(true)
    for _ in range(20 * false_entries):  # short numbers may run out
        if len(entries) == len(true) + false_entries:
            break
        like = dice.choice(true)
        entries.add(str(dice.randrange(10 ** (len(like) - 1), 10 ** len(like))))
    return StartList(entries)


def pixels_of(path: Path) -> Pixels:
    """The photo, decoded and upright."""
    return as_pixels(cv2.imread(str(path)))


def our_reader(recogniser: Recogniser) -> Read:
    """What our recogniser takes for bibs."""

    def read(pixels: Pixels, start_list: StartList) -> tuple[set[str], set[str]]:
        texts, faces = recogniser.look(pixels)
        height, width = pixels.shape[:2]
        plain, listed = (
            {bib.bib for bib in bibs_from(texts, faces, width, height, entries)}
            for entries in (None, start_list)
        )
        return plain, listed

    return read


def main(arguments: list[str] | None = None) -> dict[str, float]:
    """Print one table; returns the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--no-peer", action="store_true", help="measure ours alone")
    parser.add_argument("--photos", type=int, help="only so many photos of each set")
    given = parser.parse_args(arguments)
    if not BIBS.is_dir():
        print("bibs: the real photos (../shared/data/bibs) are not on this machine; skipped")
        return {}
    start = time.perf_counter()
    recogniser = Recogniser()
    ours = our_reader(recogniser)
    print(f"start-up of our recogniser: {time.perf_counter() - start:.2f} s")
    peer = None if given.no_peer else _rapidocr()
    figures: dict[str, float] = {}
    rows = []
    for name in SETS:
        photos = labelled_photos(BIBS / name)[: given.photos]
        measured = dict(_measure(ours, photos))
        compared = dict(_measure(peer, photos)) if peer else {}
        rows += [Row(f"{name} {k}", value, compared.get(k)) for k, value in measured.items()]
        figures |= {f"bibs: {name} {k}": value for k, value in measured.items()}
    title = "Bibs: ours" if peer is None else "Bibs: ours against RapidOCR with a digits filter"
    print_table(title, rows)
    print_table(
        f"Bibs: one photo's steps (mean of {STEP_PHOTOS} of rbnr)", list(_steps(recogniser))
    )
    return figures


def _labels(path: Path) -> defaultdict[str, set[str]]:
    bibs: defaultdict[str, set[str]] = defaultdict(set)
    if path.is_file():
        with path.open(newline="", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                bibs[row["file"]].add(row["bib"].strip().upper())
    return bibs


def _measure(read: Read, photos: list[Labelled]) -> Iterator[tuple[str, float]]:
    """Precision, recall and F without and with a start list, and milliseconds a photo."""
    plain, listed, seconds = Score(), Score(), 0.0
    start_list = start_list_of(photos)
    for photo in photos:
        pixels = pixels_of(photo.path)
        start = time.process_time()
        found, agreed = read(pixels, start_list)
        seconds += time.process_time() - start
        plain.add(photo, found)
        listed.add(photo, agreed)
    for kind, score in (("", plain), (", start list", listed)):
        yield f"precision{kind}", score.precision
        yield f"recall{kind}", score.recall
        yield f"F{kind}", score.f
    yield "ms of CPU a photo", seconds / max(len(photos), 1) * 1000


def rapidocr_numbers() -> Callable[[Pixels], set[str]]:
    """RapidOCR as it comes, on one thread: the texts of a photo that are up to six digits."""
    from rapidocr import RapidOCR
    from rapidocr.utils.output import RapidOCROutput

    engine = RapidOCR(
        params={
            "Global.log_level": "critical",
            "EngineConfig.onnxruntime.intra_op_num_threads": 1,
            "EngineConfig.onnxruntime.inter_op_num_threads": 1,
        }
    )

    def read(pixels: Pixels) -> set[str]:
        found = engine(pixels)
        assert isinstance(found, RapidOCROutput)
        return {text.strip() for text in found.txts or () if NUMBER.fullmatch(text.strip())}

    return read


def _rapidocr() -> Read:
    numbers = rapidocr_numbers()

    def read(pixels: Pixels, start_list: StartList) -> tuple[set[str], set[str]]:
        found = numbers(pixels)
        return found, {bib for bib in found if start_list.written(bib)}

    return read


def _steps(recogniser: Recogniser) -> Iterator[Row]:
    """Milliseconds of CPU of each step on a photo."""
    photos = labelled_photos(BIBS / "rbnr")[::10][:STEP_PHOTOS]
    totals: dict[str, float] = {}
    for photo in photos:
        pixels = pixels_of(photo.path)
        clock = Clock(totals)
        texts, faces = recogniser.look(pixels, clock.ends)
        bibs_from(texts, faces, pixels.shape[1], pixels.shape[0], None)
        clock.ends("plausibility")
    for step, seconds in totals.items():
        yield Row(f"{step}, ms of CPU", seconds / len(photos) * 1000)


if __name__ == "__main__":
    main()
