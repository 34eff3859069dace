"""Faces in photos: where they are, how good they are, and an embedding of each good one.

Knows pixels and nothing of people: whose face it is, is decided in `fotofinish/faces/`.

Detection is YuNet (Wu et al., 2023), embedding SFace (Zhong et al., IEEE TIP 2021), both from the
OpenCV Zoo; decoding and alignment are our own, in NumPy and OpenCV.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
import openvino as ov

from fotofinish.arrays import Box, Floats, Pixels, as_pixels
from fotofinish.errors import ModelError
from fotofinish.vision.networks import ByShape, Networks, taking_pixels
from fotofinish.vision.scaling import on_canvas, resized
from fotofinish.vision.thresholds import DEFAULT_MATCH_THRESHOLD as DEFAULT_MATCH_THRESHOLD
from fotofinish.vision.thresholds import MIN_QUALITY as MIN_QUALITY

# the detector looks twice: once for small faces, once for large ones (it was trained on faces of
# 10 to 300 pixels, so a portrait that fills a 1,600-pixel photo is only seen in the small one)
LONG_SIDES = (1600, 512)
CANVAS_SIDES = (512, 1024, 1600)
MOST_DETECTORS = 4
# small photos are looked at enlarged: a face of 20 pixels has too few of its own
MOST_ENLARGED = 2.0
STRIDES = (8, 16, 32)
MIN_SCORE = 0.7
MAX_OVERLAP = 0.3
# where ArcFace (Deng et al., 2019) puts eyes, nose and mouth corners in a 112x112 crop
CANON = np.array(
    [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655],
     [70.7299, 92.2041]],
    dtype=np.float32,
)  # fmt: skip
CROP = 112
PACKAGED = "sface"
# mean and deviation
ARCFACE_NORMALISATION = ([127.5] * 3, [127.5] * 3)
# faces below this do not match anybody: fewer pixels between the eyes than the embedder can use
MIN_EYE_DISTANCE = 8.0
# how long SFace's vectors are before they are made of length 1: the surer the network, the longer.
# Below 8 a face is found by 1 of 40 of its person's, and matches 1 of 80 strangers as bad as it is
LEAST_LENGTH, FULL_LENGTH = 7.0, 12.0
# a face and its mirror image: of more at once each takes as long, and the network more memory
VIEWS = 2


@dataclass(frozen=True, slots=True)
class FaceReading:
    """One face: `box` (x, y, w, h) and `landmarks` (5x2: eyes, nose, mouth corners) in pixels.

    `quality` is 0 to 1 (size, frontality, sharpness, detector's score). `embedding` is float32, of
    length 1 by the Euclidean norm; None when the face is too bad to be matched.
    """

    box: Box
    score: float
    landmarks: Floats
    quality: float
    embedding: Floats | None

    @property
    def turned(self) -> float:
        """How far the nose is from the middle between the eyes, in their distance: 0 from the
        front, 0.3 turned by about 35 degrees, 0.5 and more in profile."""
        return _turned(self.landmarks)


class FaceFinder:
    """Detector and embedder, loaded once."""

    def __init__(
        self, *, embedder_path: Path | None = None, networks: Networks | None = None
    ) -> None:
        networks = networks or Networks()
        self._detector = ByShape(networks, taking_pixels(networks.read("yunet")), MOST_DETECTORS)
        self.model = PACKAGED if embedder_path is None else embedder_path.stem
        try:
            if embedder_path is None:
                embedder = taking_pixels(networks.read(PACKAGED), rgb=True)
            else:
                self.model = _name_of(embedder_path)
                embedder = taking_pixels(
                    ov.Core().read_model(embedder_path), *ARCFACE_NORMALISATION, rgb=True
                )
            embedder.reshape([VIEWS, CROP, CROP, 3])
            self._embedder = networks.compile(embedder, exact=embedder_path is not None)
        except (RuntimeError, OSError) as error:
            raise ModelError(
                f"The face model {self.model} cannot be loaded ({type(error).__name__}). "
                "FOTOFINISH_FACE_EMBEDDER takes an ArcFace-style ONNX for 112x112 pixels."
            ) from None

    def find(self, pixels: Pixels) -> list[FaceReading]:
        """All faces of an upright BGR photo (uint8, HxWx3), largest first."""
        rows = self._detect(pixels)
        found = [_unembedded(row) for row in rows]
        good = [
            index
            for index, face in enumerate(found)
            if face.quality >= MIN_QUALITY and _eye_distance(face.landmarks) >= MIN_EYE_DISTANCE
        ]
        for index in good:
            embedding, length = self._embed(_align(pixels, found[index].landmarks))
            quality = found[index].quality
            if self.model == PACKAGED:  # other networks' vectors have lengths of other meaning
                quality = min(quality, found[index].score * _sharpness(length))
            found[index] = replace(
                found[index],
                quality=quality,
                embedding=embedding if quality >= MIN_QUALITY else None,
            )
        return sorted(found, key=lambda face: -face.box[2] * face.box[3])

    def _detect(self, pixels: Pixels) -> Floats:
        """Rows of x, y, w, h, 5 landmarks (x, y), score; in pixels of the photo."""
        long_side = max(pixels.shape[:2])
        factors = {min(MOST_ENLARGED, side / long_side) for side in LONG_SIDES}
        if long_side < LONG_SIDES[-1]:
            factors = {1.0, min(MOST_ENLARGED, LONG_SIDES[0] / long_side)}
        rows = np.concatenate([self._detect_at(pixels, factor) for factor in sorted(factors)])
        if not len(rows):
            return rows
        kept = cv2.dnn.NMSBoxes(
            rows[:, :4].astype(float).tolist(), rows[:, 14].tolist(), MIN_SCORE, MAX_OVERLAP
        )
        return np.asarray(rows[np.asarray(kept, dtype=int).reshape(-1)], dtype=np.float32)

    def _detect_at(self, pixels: Pixels, factor: float) -> Floats:
        height, width = pixels.shape[:2]
        if factor != 1.0:
            pixels = resized(pixels, *(max(1, round(edge * factor)) for edge in (width, height)))
        looked_at = on_canvas(pixels, CANVAS_SIDES, 0)
        result = self._detector(looked_at)
        rows = [
            _decode(
                stride,
                looked_at.shape[2] // stride,
                *(result[f"{part}_{stride}"][0] for part in ("cls", "obj", "bbox", "kps")),
            )
            for stride in STRIDES
        ]
        found = np.concatenate(rows)
        found[:, :14] /= factor
        return found

    def _embed(self, crop: Pixels) -> tuple[Floats, float]:
        """The embedding of a 112x112 BGR crop: the mean of its own and its mirror image's.

        With it, the mean length of the two as the network gave them.
        """
        vectors = self._embedder(np.stack([crop, crop[:, ::-1]]))[0]
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        mean = (vectors / lengths).sum(axis=0)
        embedding = np.asarray(mean / np.linalg.norm(mean), dtype=np.float32)
        return embedding, float(lengths.mean())


def _name_of(embedder: Path) -> str:
    """The file's name with the beginning of its checksum: another file of that name is another."""
    with embedder.open("rb") as file:
        return f"{embedder.stem}-{hashlib.file_digest(file, 'sha256').hexdigest()[:8]}"


def _decode(
    stride: int, columns: int, cls: Floats, obj: Floats, bbox: Floats, kps: Floats
) -> Floats:
    """The cells of one stride that hold a face, as rows in pixels of the network's input."""
    scores = np.sqrt(np.clip(cls[:, 0], 0, 1) * np.clip(obj[:, 0], 0, 1))
    (cells,) = np.nonzero(scores >= MIN_SCORE)
    corner = np.stack([cells % columns, cells // columns], axis=1).astype(np.float32)
    box, points = bbox[cells], kps[cells].reshape(-1, 5, 2)
    centre = (corner + box[:, :2]) * stride
    size = np.exp(box[:, 2:4]) * stride
    landmarks = ((points + corner[:, None]) * stride).reshape(-1, 10)
    return np.concatenate([centre - size / 2, size, landmarks, scores[cells, None]], axis=1)


def _landmarks(row: Floats) -> Floats:
    return row[4:14].reshape(5, 2)


def _unembedded(row: Floats) -> FaceReading:
    """What the detector says of a face."""
    x, y, w, h = map(float, row[:4])
    points, score = _landmarks(row), float(row[14])
    return FaceReading((x, y, w, h), score, points, score * _visibility(points), None)


def _eye_distance(points: Floats) -> float:
    return float(np.linalg.norm(points[1] - points[0]))


def _sharpness(length: float) -> float:
    """Between 0 and 1: blur, shade and what covers a face make the embedder's vector shorter.

    As in MagFace (Meng et al., CVPR 2021) and AdaFace (Kim et al., CVPR 2022).
    """
    return float(np.clip((length - LEAST_LENGTH) / (FULL_LENGTH - LEAST_LENGTH), 0.0, 1.0))


def _visibility(points: Floats) -> float:
    """Between 0 and 1: the product of size and frontality."""
    # more than 24 pixels between the eyes add nothing at 112x112
    size = min(1.0, _eye_distance(points) / 24.0)
    return size * float(np.clip(1.5 - 2.0 * _turned(points), 0.0, 1.0))


def _turned(points: Floats) -> float:
    eyes = _eye_distance(points)
    axis = (points[1] - points[0]) / max(eyes, 1e-6)
    return abs(float((points[2] - points[0]) @ axis) / max(eyes, 1e-6) - 0.5)


def _align(pixels: Pixels, landmarks: Floats) -> Pixels:
    """The face turned upright and scaled so that its landmarks lie on `CANON` (Umeyama, 1991)."""
    pixels, landmarks = _halved(pixels, landmarks)
    source, target = landmarks.astype(np.float64), CANON.astype(np.float64)
    source_mean, target_mean = source.mean(axis=0), target.mean(axis=0)
    source_centred, target_centred = source - source_mean, target - target_mean
    u, singular, vt = np.linalg.svd(target_centred.T @ source_centred / 5)
    sign = np.array([1.0, np.sign(np.linalg.det(u) * np.linalg.det(vt))])
    rotation = u @ np.diag(sign) @ vt
    scale = float(singular @ sign) / source_centred.var(axis=0).sum()
    matrix = np.empty((2, 3))
    matrix[:, :2] = scale * rotation
    matrix[:, 2] = target_mean - scale * rotation @ source_mean
    crop = cv2.warpAffine(pixels, matrix, (CROP, CROP), flags=cv2.INTER_LINEAR)
    return as_pixels(crop)


def _halved(pixels: Pixels, landmarks: Floats) -> tuple[Pixels, Floats]:
    """What is around a face, at half its size while it is more than twice that of the crop: warping
    alone would skip pixels."""
    eyes = _eye_distance(landmarks)
    halvings = max(0, math.floor(math.log2(max(eyes, 1e-6) / _eye_distance(CANON))))
    if not halvings:
        return pixels, landmarks
    reach, step = CROP / _eye_distance(CANON) * eyes, 2**halvings
    height, width = pixels.shape[:2]
    left, top = (max(0, int(edge)) for edge in landmarks.min(axis=0) - reach)
    right, bottom = (math.ceil(edge) for edge in landmarks.max(axis=0) + reach)
    part = pixels[top : min(bottom, height), left : min(right, width)]
    rows, columns = part.shape[0] // step, part.shape[1] // step
    small = resized(part[: rows * step, : columns * step], columns, rows)
    # the middle of a pixel of the small one is that of `step` pixels
    corner = np.array([left, top], dtype=np.float32) + (step - 1) / 2
    return small, np.asarray((landmarks - corner) / step, dtype=np.float32)
