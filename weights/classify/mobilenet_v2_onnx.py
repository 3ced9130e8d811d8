"""Make mobilenet_v2_onnx.onnx of torchvision's MobileNetV2: it needs no torch, and a quarter of the bytes.

Usage: python weights/classify/mobilenet_v2_onnx.py   (needs torch, torchvision, onnx and onnxscript)

The weights are stored as one signed byte each with a scale per output channel and turned back into floats by two
nodes of the graph, which ONNX Runtime folds away while loading: the computation itself is in float32.
"""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import onnx
import torch
import torchvision
from onnx import TensorProto, helper, numpy_helper

from visionkit.weights import Catalogue, Store, load_state_dict

HERE = Path(__file__).parent
WORTH_PACKING = 20_000  # numbers; the depthwise filters are few, and the most sensitive to rounding: they stay


def export(target: Path) -> onnx.ModelProto:
    """The network as a graph for any batch of 3 x 224 x 224, batch norm folded into the convolutions."""
    net = torchvision.models.mobilenet_v2()
    net.load_state_dict(load_state_dict(Store().path(Catalogue.load().get("mobilenet_v2"))))
    batch = torch.export.Dim("batch")
    torch.onnx.export(
        net.eval(), (torch.zeros(2, 3, 224, 224),), target, dynamo=True, opset_version=18, external_data=False,
        input_names=["image"], output_names=["logits"], dynamic_shapes=({0: batch},),
    )  # fmt: skip
    return onnx.load(target)


def pack(model: onnx.ModelProto) -> onnx.ModelProto:
    """Store the large tensors of ``model`` as bytes with a scale per output channel."""
    kept, nodes = [], []
    for tensor in model.graph.initializer:
        values = numpy_helper.to_array(tensor)
        if values.dtype != np.float32 or values.size < WORTH_PACKING:
            kept.append(tensor)
            continue
        across = tuple(range(1, values.ndim))
        scale = np.abs(values).max(axis=across, keepdims=True) / 127 + np.finfo(np.float32).tiny
        packed = np.round(values / scale).astype(np.int8)
        bytes_, floats, factor = (f"{tensor.name}.{part}" for part in ("int8", "float", "scale"))
        kept += [numpy_helper.from_array(packed, bytes_), numpy_helper.from_array(scale.astype(np.float32), factor)]
        nodes += [
            helper.make_node("Cast", [bytes_], [floats], to=TensorProto.FLOAT),
            helper.make_node("Mul", [floats, factor], [tensor.name]),
        ]
    for field, content in ((model.graph.initializer, kept), (model.graph.node, [*nodes, *model.graph.node])):
        values = list(content)
        del field[:]
        field.extend(values)
    for info in list(model.graph.value_info):
        model.graph.value_info.remove(info)
    del model.metadata_props[:]
    for node in model.graph.node:  # the exporter's notes on where each node came from
        del node.metadata_props[:]
        node.doc_string = ""
    onnx.checker.check_model(model, full_check=True)
    return model


if __name__ == "__main__":
    with TemporaryDirectory() as temporary:
        onnx.save(pack(export(Path(temporary) / "net.onnx")), HERE / "mobilenet_v2_onnx.onnx")
