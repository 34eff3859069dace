"""ONNX files made plain: block-quantised weights turned back into numbers OpenVINO can read.

SFace comes block-quantised (weights int8, one scale for 64 of them), which neither OpenVINO nor
ONNX Runtime loads as it is; the computation was never quantised, so nothing is lost here.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
from onnx import numpy_helper


def plain_weights(path: Path) -> bytes:
    """The ONNX model with every `DequantizeLinear` of a constant computed, and no input but data.

    Semantics of the operator: ONNX operators, DequantizeLinear, opset 21 (blocked quantisation).
    """
    model = onnx.load(path)
    graph = model.graph
    constants = {tensor.name: tensor for tensor in graph.initializer}
    for node in [node for node in graph.node if node.op_type == "DequantizeLinear"]:
        if not all(name in constants for name in node.input):
            continue
        options = {option.name: option.i for option in node.attribute}
        values = _dequantise(
            *(numpy_helper.to_array(constants[name]) for name in node.input),
            axis=options.get("axis", 1),
            block=options.get("block_size", 0),
        )
        graph.initializer.append(numpy_helper.from_array(values, node.output[0]))
        graph.node.remove(node)
        for name in node.input:
            graph.initializer.remove(constants.pop(name))
    named = {tensor.name for tensor in graph.initializer}
    used = {name for node in graph.node for name in node.input}
    for given in list(graph.input):
        if given.name in named or given.name not in used:
            graph.input.remove(given)
    serialised: bytes = model.SerializeToString()
    return serialised


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
