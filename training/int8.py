"""Make the int8 form of the text detector: `fotofinish/vision/ppocrv6_det_int8.xml` and `.bin`.

Nothing is trained: weights are rounded, and what runs through the network is measured on photos, to
know its range. The photos are the demo's, which are drawn, and those that scikit-image brings, in
the public domain or CC0. Prints the SHA-256 of both files, for `fotofinish/vision/registry.py`.
Two minutes on two cores.

    pip install nncf==3.4.0
    python -m training.int8 fotofinish/vision/ppocrv6_det_int8.xml

The other networks stay as they are: rounding moves the boxes of the close-up detector (what it
finds overlaps by 0.75 with what it found, the text detector's by 0.94), and the rest is small.
"""

from __future__ import annotations

import argparse
import hashlib
import tempfile
from pathlib import Path

import cv2
import nncf
import numpy as np
import openvino as ov
import skimage.data
from nncf.quantization.advanced_parameters import AdvancedQuantizationParameters
from nncf.quantization.range_estimator import RangeEstimatorParametersSet

from fotofinish.arrays import Pixels
from fotofinish.demo.generator import generate
from fotofinish.vision.networks import Networks
from fotofinish.vision.text import DETECTOR, DETECTOR_DEVIATION, DETECTOR_MEAN

DRAWN = 24
# those that come inside the package; the others it would fetch
BROUGHT = (
    "astronaut",
    "brick",
    "camera",
    "chelsea",
    "coffee",
    "coins",
    "colorwheel",
    "grass",
    "gravel",
    "hubble_deep_field",
    "immunohistochemistry",
    "page",
    "retina",
    "rocket",
)
WIDTH, HEIGHT = 1280, 864


def photos() -> list[Pixels]:
    """The photos as the detector is shown them: 1xHxWx3, uint8, BGR."""
    with tempfile.TemporaryDirectory() as folder:
        demo = generate(Path(folder) / "demo", DRAWN).photos
        drawn = [cv2.imread(str(photo.path), cv2.IMREAD_COLOR) for photo in demo]
    brought = [_bgr(getattr(skimage.data, name)()) for name in BROUGHT]
    return [
        cv2.resize(photo, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)[None]
        for photo in (*drawn, *brought)
    ]


def in_int8(model: ov.Model, shown: list[Pixels]) -> ov.Model:
    """The network in int8, with the ranges that these photos have.

    What is computed once for the whole photo (squeeze and excitation) stays in f32: it costs no
    time, and everything else is multiplied by it.
    """
    once = [
        operation.get_friendly_name()
        for operation in model.get_ops()
        if operation.get_type_name() == "Convolution"
        and list(operation.get_output_shape(0))[2:] == [1, 1]
    ]
    return nncf.quantize(
        model,
        nncf.Dataset(shown),
        subset_size=len(shown),
        preset=nncf.QuantizationPreset.MIXED,
        fast_bias_correction=False,
        ignored_scope=nncf.IgnoredScope(names=once),
        advanced_parameters=AdvancedQuantizationParameters(
            activations_range_estimator_params=RangeEstimatorParametersSet.HISTOGRAM
        ),
    )


def _bgr(photo: Pixels) -> Pixels:
    """Of grey or RGB pixels."""
    if photo.ndim == 2:
        return np.repeat(photo[..., None], 3, axis=2)
    return np.ascontiguousarray(photo[..., 2::-1])


def main() -> None:
    """Read, measure, round, write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("out", type=Path, help="the .xml to write; the .bin goes beside it")
    given = parser.parse_args()
    model = Networks("f32").read_for_pixels(DETECTOR, DETECTOR_MEAN, DETECTOR_DEVIATION)
    model.reshape([1, HEIGHT, WIDTH, 3])
    model = in_int8(model, photos())
    ov.save_model(model, given.out)
    for file in (given.out, given.out.with_suffix(".bin")):
        print(f"{file}: SHA-256 {hashlib.sha256(file.read_bytes()).hexdigest()}")


if __name__ == "__main__":
    main()
