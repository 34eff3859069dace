"""Block-quantised weights in ONNX files, turned back into numbers while OpenVINO reads them.

SFace and YuNet come so (weights int8, one scale for 64 of them), and OpenVINO does not know the
form; the computation was never quantised, so nothing is lost here.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import openvino as ov
from openvino import opset13
from openvino.frontend import NodeContext
from openvino.frontend.onnx import ConversionExtension


def block_quantised() -> ConversionExtension:
    """What an OpenVINO core must be taught before it reads such a file (and no other)."""
    return ConversionExtension("DequantizeLinear", _plain)


def _plain(node: NodeContext) -> list[ov.Output]:
    """A `DequantizeLinear` of constants, computed.

    Semantics: ONNX operators, DequantizeLinear, opset 21 (blocked quantisation).
    """
    quantised, scale, zero_point = (node.get_input(place).get_node().data for place in range(3))
    values = _dequantise(
        quantised,
        scale,
        zero_point,
        axis=node.get_attribute("axis", 1),
        block=node.get_attribute("block_size", 0),
    )
    outputs: list[ov.Output] = opset13.constant(values).outputs()
    return outputs


def _dequantise(
    quantised: npt.NDArray[np.int8],
    scale: npt.NDArray[np.float32],
    zero_point: npt.NDArray[np.int8],
    *,
    axis: int,
    block: int,
) -> npt.NDArray[np.float32]:
    if block:
        length = quantised.shape[axis]
        scale = np.take(np.repeat(scale, block, axis=axis), range(length), axis=axis)
        zero_point = np.take(np.repeat(zero_point, block, axis=axis), range(length), axis=axis)
    values = (quantised.astype(np.float32) - zero_point.astype(np.float32)) * scale
    return values.astype(np.float32)
