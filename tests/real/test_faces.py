"""Faces of real people: pairs told apart at one false match in a thousand."""

from __future__ import annotations

from pathlib import Path

from benchmarks.faces import embed_folder, pair_scores, tpr_at_fpr
from fotofinish.vision.faces import FaceFinder

PEOPLE = 60  # enough for 20,000 pairs in half a minute


def test_true_positive_rate_is_high_at_one_false_match_in_a_thousand(shared_data: Path) -> None:
    faces = embed_folder(FaceFinder(), shared_data / "faces" / "lfw", people=PEOPLE)
    same, different = pair_scores(faces)
    assert len(different) > 10_000
    assert tpr_at_fpr(same, different, 1e-3) >= 0.95
