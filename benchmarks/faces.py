"""Faces: how well people are told apart, ours against OpenCV's modules as they come.

On `../shared/data/faces` (see its SOURCES.md): the folder is the person. Hard faces are made of the
same photos (`hard_faces.py`): a person's first photo searches the second, made hard in each way.
"""

from __future__ import annotations

import argparse
import random
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

import cv2
import numpy as np

from benchmarks.hard_faces import HARD
from benchmarks.tables import Row, print_table
from fotofinish.arrays import Floats, Pixels
from fotofinish.vision.faces import (
    DEFAULT_MATCH_THRESHOLD,
    MIN_QUALITY,
    FaceFinder,
    FaceReading,
)
from fotofinish.vision.registry import model_path

FACES = Path(__file__).resolve().parents[2] / "shared" / "data" / "faces"
PEOPLE_FOLDERS = ("lfw", "dlib_johns", "faceapi_bbt")
# OpenCV's own advice for SFace with cosine distance (FaceRecognizerSF tutorial)
OPENCV_THRESHOLD = 0.363
Embed = Callable[[Pixels], Floats | None]


@dataclass(frozen=True, slots=True)
class Face:
    """The largest face of a photo; `embedding` None when none was good enough."""

    person: str
    embedding: Floats | None


def photos_of(folder: Path, people: int | None = None) -> Iterator[tuple[str, Path]]:
    """(person, photo) of a folder of folders, or of single photos, sorted."""
    for entry in sorted(folder.iterdir())[:people]:
        if entry.is_dir():
            yield from ((f"{folder.name}/{entry.name}", path) for path in sorted(entry.iterdir()))
        elif entry.suffix.lower() in (".jpg", ".jpeg", ".png"):
            yield f"{folder.name}/{entry.name}", entry


def embed_folder(finder: FaceFinder, folder: Path, people: int | None = None) -> list[Face]:
    """Every photo's largest face, by our finder."""
    return _embed_all(_ours(finder), folder, people)


def pair_scores(faces: list[Face]) -> tuple[Floats, Floats]:
    """Cosines of all pairs: of one person, and of two; a face without embedding scores -1."""
    dimensions = next(len(face.embedding) for face in faces if face.embedding is not None)
    nothing = np.zeros(dimensions, dtype=np.float32)
    matrix = np.stack([nothing if f.embedding is None else f.embedding for f in faces])
    found = np.array([face.embedding is not None for face in faces])
    cosines = np.where(found[:, None] & found[None], matrix @ matrix.T, -1.0)
    people = np.array([face.person for face in faces])
    same = people[:, None] == people[None]
    upper = np.triu_indices(len(faces), 1)
    scores, is_same = cosines[upper].astype(np.float32), same[upper]
    return scores[is_same], scores[~is_same]


def tpr_at_fpr(same: Floats, different: Floats, rate: float) -> float:
    """The share of true pairs above the cosine that `rate` of the false pairs exceed."""
    threshold = np.sort(different)[::-1][int(rate * len(different))]
    return float((same > threshold).mean())


def main(arguments: list[str] | None = None) -> dict[str, float]:
    """Print one table; returns the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, help="only so many people of each folder")
    given = parser.parse_args(arguments)
    if not FACES.is_dir():
        print("faces: the real photos (../shared/data/faces) are not on this machine; skipped")
        return {}
    start = time.perf_counter()
    finder = FaceFinder()
    start_up = time.perf_counter() - start
    ours = _measure(_ours(finder), DEFAULT_MATCH_THRESHOLD, given.people)
    peer = _measure(opencv_embedder(), OPENCV_THRESHOLD, given.people)
    rows = [Row(name, ours[name], peer[name]) for name in ours]
    print_table("Faces: ours against OpenCV's FaceDetectorYN and FaceRecognizerSF", rows)
    hard = measure_hard(finder, given.people)
    print_table("Hard faces", [Row(name, value) for name, value in hard.items()])
    print(f"start-up of our finder: {start_up:.2f} s")
    return {f"faces: {name}": value for name, value in (ours | hard).items()}


def measure_hard(finder: FaceFinder, people: int | None = None) -> dict[str, float]:
    """Recall of hard faces by an easy selfie; and what it is worth to leave bad faces out.

    The second by hard selfies of the first photos, with false matches, as it is and without regard
    to quality.
    """
    pairs: defaultdict[str, list[Path]] = defaultdict(list)
    for name in PEOPLE_FOLDERS:
        for person, path in photos_of(FACES / name, people):
            pairs[person].append(path)
    easy: list[tuple[str, FaceReading | None]] = []
    selfies: list[tuple[str, str, FaceReading | None]] = []
    event: list[tuple[str, str, FaceReading | None]] = []
    with mock.patch("fotofinish.vision.faces.MIN_QUALITY", 0.0):
        for person, (first, second, *_) in pairs.items():
            dice = random.Random(person)
            pixels = [np.asarray(cv2.imread(str(path)), dtype=np.uint8) for path in (first, second)]
            found = [finder.find(picture) for picture in pixels]
            if not all(found):
                continue
            easy.append((person, found[0][0]))
            for picture, faces, into in zip(pixels, found, (selfies, event), strict=True):
                for kind, harden in HARD.items():
                    seen = finder.find(harden(picture, faces[0], dice))
                    into.append((person, kind, seen[0] if seen else None))
    figures = {}
    for kind in HARD:
        of_kind = [(person, face) for person, made, face in event if made == kind]
        figures[f"{kind}: recall"] = _found(easy, of_kind, MIN_QUALITY)[0]
    everything = [(person, face) for person, _, face in event]
    figures["hard: recall"], figures["hard: false matches per 10,000"] = _found(
        easy, everything, MIN_QUALITY
    )
    hard_selfies = [(person, face) for person, _, face in selfies]
    for name, least in (("", MIN_QUALITY), (", quality disregarded", 0.0)):
        recall, false_rate = _found(hard_selfies, everything, least)
        figures[f"hard selfies: recall{name}"] = recall
        figures[f"hard selfies: false matches per 10,000{name}"] = false_rate
    return figures


def _found(
    selfies: Sequence[tuple[str, FaceReading | None]],
    event: Sequence[tuple[str, FaceReading | None]],
    least: float,
) -> tuple[float, float]:
    """The share of true pairs that match, and false matches per 10,000 comparisons."""
    sides = []
    for side in (selfies, event):
        good = [
            face.embedding
            if face is not None and face.embedding is not None and face.quality >= least
            else np.zeros(128, dtype=np.float32)
            for _, face in side
        ]
        sides.append((np.stack(good), np.array([person for person, _ in side])))
    (left, left_people), (right, right_people) = sides
    matched = left @ right.T >= DEFAULT_MATCH_THRESHOLD
    same = left_people[:, None] == right_people[None]
    return float(matched[same].mean()), float(matched[~same].mean() * 10_000)


def _measure(embed: Embed, threshold: float, people: int | None) -> dict[str, float]:
    start = time.perf_counter()
    lfw = _embed_all(embed, FACES / "lfw", people)
    seconds = time.perf_counter() - start
    same, different = pair_scores(lfw)
    everybody = [*lfw]
    for name in PEOPLE_FOLDERS[1:]:
        everybody += _embed_all(embed, FACES / name, people)
    distractors = _embed_all(embed, FACES / "lfw_singles", people)
    recall, false_rate = selfie_search(everybody, distractors, threshold)
    return {
        "TPR at FPR 1e-3, lfw pairs": tpr_at_fpr(same, different, 1e-3),
        "TPR at FPR 1e-4, lfw pairs": tpr_at_fpr(same, different, 1e-4),
        "selfie recall, all people": recall,
        "false matches per 10,000": false_rate * 10_000,
        "photos without a usable face": float(sum(f.embedding is None for f in everybody)),
        "ms a photo (250x250)": seconds / len(lfw) * 1000,
    }


def selfie_search(
    faces: list[Face], distractors: list[Face], threshold: float
) -> tuple[float, float]:
    """A person's first photo searches all others; (recall, false matches a comparison)."""
    by_person: dict[str, list[int]] = defaultdict(list)
    for index, face in enumerate(faces):
        by_person[face.person].append(index)
    everybody = [*faces, *distractors]
    dimensions = next(len(face.embedding) for face in faces if face.embedding is not None)
    nothing = np.zeros(dimensions, dtype=np.float32)
    matrix = np.stack([nothing if f.embedding is None else f.embedding for f in everybody])
    hits = wanted = false = comparisons = 0
    for indexes in by_person.values():
        selfie, *others = indexes
        matched = matrix @ matrix[selfie] >= threshold
        hits += int(matched[others].sum())
        wanted += len(others)
        false += int(matched.sum() - matched[indexes].sum())
        comparisons += len(everybody) - len(indexes)
    return hits / wanted, false / comparisons


def _embed_all(embed: Embed, folder: Path, people: int | None) -> list[Face]:
    return [
        Face(person, embed(np.asarray(cv2.imread(str(path)), dtype=np.uint8)))
        for person, path in photos_of(folder, people)
    ]


def _ours(finder: FaceFinder) -> Embed:
    def embed(pixels: Pixels) -> Floats | None:
        faces = finder.find(pixels)
        return faces[0].embedding if faces else None

    return embed


def opencv_embedder() -> Embed:
    """OpenCV's modules with their own defaults, largest face."""
    cv2.setNumThreads(1)
    detector = cv2.FaceDetectorYN.create(str(model_path("yunet")), "", (320, 320))
    network = cv2.dnn.readNetFromONNX(str(model_path("sface")), cv2.dnn.ENGINE_CLASSIC)
    aligner = cv2.FaceRecognizerSF.create(str(model_path("sface")), "")

    def embed(pixels: Pixels) -> Floats | None:
        detector.setInputSize((pixels.shape[1], pixels.shape[0]))
        _, rows = detector.detect(pixels)
        if rows is None:
            return None
        largest = max(rows, key=lambda row: float(row[2] * row[3]))
        crop = aligner.alignCrop(pixels, largest)
        network.setInput(cv2.dnn.blobFromImage(crop, 1.0, (112, 112), (0, 0, 0), True, False))
        vector = network.forward()[0]
        return np.asarray(vector / np.linalg.norm(vector), dtype=np.float32)

    return embed


if __name__ == "__main__":
    main()
