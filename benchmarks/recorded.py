"""The accuracy that was once reached, on a part of the real photos: it is not to fall again.

`tests/real/test_recorded.py` measures the same part and compares. Who improves recognition writes
the file anew: `python -m benchmarks.recorded`. Accuracy alone, never time: that is the machine's.
Each precision of the networks has figures of its own; a machine measures those that it is fast in.
"""

from __future__ import annotations

import json
from pathlib import Path

from benchmarks.bibs import (
    BIBS,
    SETS,
    Score,
    labelled_photos,
    our_reader,
    pixels_of,
    start_list_of,
)
from benchmarks.faces import FACES, embed_folder, pair_scores, selfie_search, tpr_at_fpr
from fotofinish.recognition import Recogniser
from fotofinish.vision.faces import DEFAULT_MATCH_THRESHOLD, FaceFinder
from fotofinish.vision.networks import Networks, Precision, fast_precisions

RECORDED = Path(__file__).with_name("recorded.json")
# one point of a hundred: less is chance, more is a change
MOST_FALL = 0.01
# every how manieth photo of a set: about 30 photos in all, and 30 seconds of a core
EVERY = {"rbnr": 6, "heinrich": 4, "casablanca": 5, "alfanick": 3}
PEOPLE = 45  # 12,000 pairs
DISTRACTORS = 45


def main() -> None:
    """Measure, and write the file; what this machine does not compute in stays as it was."""
    recorded = json.loads(RECORDED.read_text())
    for precision in fast_precisions():
        recorded[precision] = {name: round(x, 4) for name, x in measure(precision).items()}
    RECORDED.write_text(json.dumps(recorded, indent=2) + "\n")
    print(RECORDED.read_text())


def measure(precision: Precision) -> dict[str, float]:
    """All figures; between 0 and 1."""
    figures = measure_bibs(precision)
    if precision != "int8":  # faces are in f32 where text is in int8
        figures |= measure_faces(precision)
    return figures


def measure_bibs(precision: Precision) -> dict[str, float]:
    """Precision, recall and F of each set, and F with a start list."""
    figures: dict[str, float] = {}
    read = our_reader(Recogniser(precision=precision))
    for name in SETS:
        photos = labelled_photos(BIBS / name)
        start_list = start_list_of(photos)
        plain, listed = Score(), Score()
        for photo in photos[:: EVERY[name]]:
            found, agreed = read(pixels_of(photo.path), start_list)
            plain.add(photo, found)
            listed.add(photo, agreed)
        figures |= {
            f"bibs: {name} precision": plain.precision,
            f"bibs: {name} recall": plain.recall,
            f"bibs: {name} F": plain.f,
            f"bibs: {name} F, start list": listed.f,
        }
    return figures


def measure_faces(precision: Precision) -> dict[str, float]:
    """How well people are told apart, and found by a selfie among strangers."""
    finder = FaceFinder(networks=Networks(precision))
    faces = embed_folder(finder, FACES / "lfw", people=PEOPLE)
    strangers = embed_folder(finder, FACES / "lfw_singles", people=DISTRACTORS)
    same, different = pair_scores(faces)
    recall, false_rate = selfie_search(faces, strangers, DEFAULT_MATCH_THRESHOLD)
    return {
        "faces: TPR at FPR 1e-3": tpr_at_fpr(same, different, 1e-3),
        "faces: selfie recall": recall,
        # of 1,000 comparisons, so that a fall of one point is ten false matches in a million
        "faces: no false match in 1,000": 1 - false_rate * 1000,
    }


if __name__ == "__main__":
    main()
