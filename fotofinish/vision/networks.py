"""How networks are compiled: on one OpenVINO core, one thread each, as precisely as they need.

bf16 halves the time where the processor has tiles for it (AMX: Intel's Xeons since 2023) and loses
nothing that can be measured (docs/recognition.md). Everywhere else it is emulated and slower than
f32, whatever OpenVINO's list of capabilities says. Processors that multiply small integers (VNNI:
Intel's Xeons since 2019, AMD's since 2022) run the network that takes longest in int8, the others
in f32.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import openvino as ov
from openvino.preprocess import PrePostProcessor
from openvino.utils.data_helpers.wrappers import OVDict

from fotofinish.arrays import Pixels
from fotofinish.vision.registry import MODELS, model_path
from fotofinish.vision.weights import block_quantised

Precision = Literal["f32", "bf16", "int8"]

PROCESSOR = Path("/proc/cpuinfo")
ONE_THREAD = {"INFERENCE_NUM_THREADS": 1, "NUM_STREAMS": 1}


def fast_precision() -> Precision:
    """What this processor computes fastest in."""
    return fast_precisions()[0]


def fast_precisions() -> list[Precision]:
    """What this processor computes in without emulating it, fastest first; f32 is the last."""
    try:
        flags = PROCESSOR.read_text()
    except OSError:  # no Linux
        flags = ""
    known: list[tuple[str, Precision]] = [("amx_bf16", "bf16"), ("_vnni", "int8")]
    return [*(precision for flag, precision in known if flag in flags), "f32"]


class Networks:
    """Reads and compiles networks; one for all of a process."""

    def __init__(self, precision: Precision | None = None) -> None:
        self._core = ov.Core()
        self._core.add_extension(block_quantised())
        self._precision = precision or fast_precision()

    def read(self, name: str) -> ov.Model:
        """A network of the registry, with no inputs but those that are computed with."""
        model = self._core.read_model(model_path(name))
        for given in model.get_parameters():
            if not given.output(0).get_target_inputs():
                model.remove_parameter(given)
        return model

    def read_for_pixels(
        self, name: str, mean: Sequence[float], deviation: Sequence[float]
    ) -> ov.Model:
        """A network of the registry that takes pixels, in its int8 form where that is faster."""
        if self._precision == "int8" and MODELS[name].int8:
            return self._core.read_model(*(model_path(file) for file in MODELS[name].int8))
        return taking_pixels(self.read(name), mean, deviation)

    def compile(self, model: ov.Model, *, exact: bool = False) -> ov.CompiledModel:
        """Ready to run; `exact`: in f32 on every processor."""
        precision = "bf16" if self._precision == "bf16" and not exact else "f32"
        return self._core.compile_model(
            model, "CPU", {**ONE_THREAD, "INFERENCE_PRECISION_HINT": precision}
        )


class ByShape:
    """A network that is compiled for each shape of pixels it gets; the latest `most` are kept.

    Compiled for one shape it takes two thirds of the time, and its buffers a third of the memory,
    of one that takes all shapes; compiling takes as long as two photos.
    """

    def __init__(self, networks: Networks, model: ov.Model, most: int) -> None:
        self._networks = networks
        self._model = model
        self._most = most
        self._compiled: dict[tuple[int, ...], ov.CompiledModel] = {}

    def __call__(self, pixels: Pixels) -> OVDict:
        """Its outputs; they are overwritten by the next call."""
        latest = next(reversed(self._compiled.values()), None)
        compiled = self._compiled.pop(pixels.shape, None)
        if latest is not None and latest is not compiled:
            latest.release_memory()
        if compiled is None:
            if len(self._compiled) == self._most:
                del self._compiled[next(iter(self._compiled))]
            self._model.reshape(pixels.shape)
            compiled = self._networks.compile(self._model)
        self._compiled[pixels.shape] = compiled
        return compiled(pixels, share_inputs=True)


def taking_pixels(
    model: ov.Model,
    mean: Sequence[float] = (0.0, 0.0, 0.0),
    deviation: Sequence[float] = (1.0, 1.0, 1.0),
    *,
    rgb: bool = False,
) -> ov.Model:
    """The network with its normalisation built in: it takes uint8 NxHxWx3, BGR.

    `rgb`: it was trained on RGB, and turns the channels round itself.
    """
    steps = PrePostProcessor(model)
    steps.input().tensor().set_element_type(ov.Type.u8).set_layout(ov.Layout("NHWC"))
    steps.input().model().set_layout(ov.Layout("NCHW"))
    prepared = steps.input().preprocess().convert_element_type(ov.Type.f32)
    if rgb:
        prepared = prepared.reverse_channels()
    prepared.mean(list(mean)).scale(list(deviation))
    return steps.build()
