"""Faces are found and told apart; on a portrait that is in the public domain."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from fotofinish.arrays import Pixels
from fotofinish.demo.portrait import load_portrait
from fotofinish.errors import ModelError
from fotofinish.vision.faces import DEFAULT_MATCH_THRESHOLD, FaceFinder, FaceReading


@pytest.fixture(scope="module")
def finder() -> FaceFinder:
    return FaceFinder()


@pytest.fixture(scope="module")
def portrait() -> Pixels:
    """Eileen Collins, NASA, as scikit-image ships her."""
    return load_portrait()


def _only(faces: list[FaceReading]) -> FaceReading:
    assert len(faces) == 1
    return faces[0]


def test_finds_the_face_where_it_is(finder: FaceFinder, portrait: Pixels) -> None:
    x, y, width, height = _only(finder.find(portrait)).box
    assert x < 225 < x + width
    assert y < 115 < y + height


def test_embedding_has_length_one(finder: FaceFinder, portrait: Pixels) -> None:
    embedding = _only(finder.find(portrait)).embedding
    assert embedding is not None
    assert np.linalg.norm(embedding) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("change", ["darker", "tilted", "half size", "enlarged", "mirrored"])
def test_one_person_is_recognised_again(finder: FaceFinder, portrait: Pixels, change: str) -> None:
    centre = cv2.getRotationMatrix2D((256, 128), 18, 1.0)
    changed = {
        "darker": (portrait * 0.5).astype(np.uint8),
        "tilted": cv2.warpAffine(portrait, centre, (512, 512)),
        "half size": cv2.resize(portrait, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA),
        "enlarged": cv2.resize(portrait, None, fx=3, fy=3),
        "mirrored": portrait[:, ::-1],
    }[change]
    first = _only(finder.find(portrait)).embedding
    again = finder.find(np.ascontiguousarray(changed))[0].embedding
    assert first is not None
    assert again is not None
    assert float(first @ again) > DEFAULT_MATCH_THRESHOLD


def test_the_noise_of_a_large_face_does_not_matter(finder: FaceFinder, portrait: Pixels) -> None:
    large = cv2.resize(portrait, None, fx=5, fy=5, interpolation=cv2.INTER_CUBIC)
    noise = np.random.default_rng(1).normal(0, 30, large.shape)
    noisy = np.clip(large + noise, 0, 255).astype(np.uint8)
    first, again = _only(finder.find(large)), finder.find(noisy)[0]
    assert first.embedding is not None
    assert again.embedding is not None
    assert first.embedding @ again.embedding > 0.93
    assert again.quality > 0.9 * first.quality


def test_a_mirrored_face_is_nearly_the_same(finder: FaceFinder, portrait: Pixels) -> None:
    first = _only(finder.find(portrait)).embedding
    mirrored = _only(finder.find(np.ascontiguousarray(portrait[:, ::-1]))).embedding
    assert first is not None
    assert mirrored is not None
    assert float(first @ mirrored) > 0.967  # 0.956 where a face is not seen mirrored too


def test_a_blurred_face_is_worse_than_a_sharp_one(finder: FaceFinder, portrait: Pixels) -> None:
    blurred = cv2.GaussianBlur(portrait, (0, 0), 3).astype(np.uint8)
    sharp, soft = _only(finder.find(portrait)), _only(finder.find(blurred))
    assert sharp.quality > 0.9
    assert soft.quality < 0.5 < soft.score


def test_a_tiny_face_has_no_embedding_that_could_match(
    finder: FaceFinder, portrait: Pixels
) -> None:
    small = cv2.resize(portrait, (64, 64), interpolation=cv2.INTER_AREA)
    assert all(face.embedding is None for face in finder.find(np.asarray(small, dtype=np.uint8)))


@pytest.mark.parametrize("shape", [(20_000, 16, 3), (16, 20_000, 3)])
def test_a_picture_like_a_thread_has_no_faces(
    finder: FaceFinder, shape: tuple[int, int, int]
) -> None:
    assert finder.find(np.full(shape, 90, dtype=np.uint8)) == []


def test_nothing_is_found_where_nobody_is(finder: FaceFinder) -> None:
    noise = np.random.default_rng(1).integers(0, 255, (480, 640, 3), dtype=np.uint8)
    assert finder.find(noise) == []


def test_an_embedder_of_ones_own_is_known_by_its_content(portrait: Pixels, tmp_path: Path) -> None:
    finders = []
    for size in (64, 128):
        (tmp_path / str(size)).mkdir()
        path = tmp_path / str(size) / "mine.xml"
        _save_embedder(path, size)
        finders.append(FaceFinder(embedder_path=path))
    first, second = finders
    assert first.model.startswith("mine-")
    assert second.model.startswith("mine-")
    assert first.model != second.model
    embedding = _only(second.find(portrait)).embedding
    assert embedding is not None
    assert embedding.shape == (128,)


def test_an_embedder_that_is_missing_is_said_to_be(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="mine"):
        FaceFinder(embedder_path=tmp_path / "mine.onnx")


def _save_embedder(path: Path, size: int) -> None:
    """A network that makes `size` numbers of a crop's upper rows."""
    import openvino as ov  # takes long: not where every process that runs tests would load it
    from openvino import opset13 as opset

    crop = opset.parameter([1, 3, 112, 112], np.float32)
    flat = opset.reshape(crop, opset.constant([0, -1], np.int64), special_zero=True)
    indices, axis = opset.constant(list(range(size)), np.int64), opset.constant(1, np.int64)
    ov.save_model(ov.Model([opset.gather(flat, indices, axis)], [crop]), path)
