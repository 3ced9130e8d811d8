"""Networks with weights and activations of 8 bits for OpenVINO: made by NNCF from the fp32 graph and real pictures.

Post-training quantisation: Jacob et al., "Quantization and Training of Neural Networks for Efficient
Integer-Arithmetic-Only Inference", CVPR 2018. Whether the result is good enough is for others to say.
"""

from __future__ import annotations

import contextlib
import io
import json
import logging
from collections.abc import Iterable
from dataclasses import asdict
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

from visionkit.backends.preprocess import fit, normalised
from visionkit.frozen import Frozen
from visionkit.lazy import load

if TYPE_CHECKING:
    from visionkit.data import Image
    from visionkit.weights.entry import Preprocessing

MOST_LOST = 0.01
"""Mean average precision that int8 may cost."""
LEARNED = 1000
"""Numbers in a weight that was learned; smaller ones are part of how outputs are read, such as a YOLO's box bins."""
_WEIGHTED = ("Convolution", "GroupConvolution", "MatMul", "ConvolutionBackpropData")


class Verdict(Frozen):
    """Whether an int8 network is good enough, and how that was found.

    Attributes:
        fp32, int8: mean average precision (0 to 1) on the same pictures.
        pictures: how many they were; 0 if it was never calibrated.
    """

    fp32: float = 0.0
    int8: float = 0.0
    pictures: int = 0

    @property
    def accepted(self) -> bool:
        """True if it loses at most one point."""
        return self.pictures > 0 and self.fp32 - self.int8 <= MOST_LOST

    @property
    def text(self) -> str:
        """The verdict in words."""
        if not self.pictures:
            return "int8 was not calibrated here, fp32 runs: visionkit tune --calibrate FOLDER"
        change = (self.int8 - self.fp32) * 100
        figures = f"mAP {self.int8 * 100:.1f} against {self.fp32 * 100:.1f} on {self.pictures} pictures ({change:+.1f})"
        return f"int8, {figures}" if self.accepted else f"int8 refused, fp32 runs: {figures}, allowed is -1"


def graph_of(note: Path) -> Path:
    """Where the int8 graph lies, beside the note on the fp32 one."""
    return note.with_name(f"{note.stem}-int8.xml")


def verdict_of(note: Path) -> Verdict:
    """What is known of the int8 network; one that was never calibrated has no pictures."""
    try:
        found = json.loads(graph_of(note).with_suffix(".json").read_text("utf-8"))
        verdict = Verdict(float(found["fp32"]), float(found["int8"]), int(found["pictures"]))
    except (OSError, ValueError, KeyError, TypeError):
        return Verdict()
    return verdict if graph_of(note).is_file() else Verdict()


def settle(note: Path, verdict: Verdict) -> None:
    """Keep the verdict."""
    graph_of(note).with_suffix(".json").write_text(json.dumps(asdict(verdict)), "utf-8")


def quantise(graph: Path, spec: Preprocessing, pictures: Iterable[Image], target: Path) -> None:
    """Write the int8 graph ``target`` (.xml) of the fp32 graph ``graph`` (.xml or .onnx).

    What follows the last learned layers decodes coordinates and scores; it costs little, needs the precision and stays
    fp32.

    Args:
        graph: takes normalised pictures as floats.
        spec: how pictures are made ready.
        pictures: what the ranges of the activations are taken from: some dozens like those it will see.
        target: where it goes.

    Raises:
        MissingExtraError: NNCF is not installed.
        RuntimeError: it cannot be quantised.
    """
    openvino, nncf = load("openvino"), load("nncf")
    logging.getLogger("nncf").setLevel(logging.ERROR)
    model = openvino.Core().read_model(str(graph))
    ready = [normalised(fit(picture, spec).pixels[None], spec) for picture in pictures]
    ignored = nncf.IgnoredScope(names=_tail(model), validate=False)
    with contextlib.redirect_stdout(io.StringIO()):  # it shows bars
        made = nncf.quantize(
            model,
            nncf.Dataset(ready),
            subset_size=len(ready),
            preset=nncf.QuantizationPreset.MIXED,
            ignored_scope=ignored,
        )
    target.parent.mkdir(parents=True, exist_ok=True)
    openvino.save_model(made, str(target), compress_to_fp16=False)


def _tail(model: Any) -> list[str]:
    """Names of the operations from which no learned layer is reached any more."""
    tail: list[str] = []
    before: set[str] = set()  # of which one is reached
    for operation in reversed(model.get_ordered_ops()):
        name = operation.get_friendly_name()
        after = {port.get_node().get_friendly_name() for out in operation.outputs() for port in out.get_target_inputs()}
        if _is_learned(operation) or after & before:
            before.add(name)
        elif operation.get_type_name() not in ("Constant", "Result", "Parameter"):
            tail.append(name)
    return tail


def _is_learned(operation: Any) -> bool:
    if operation.get_type_name() not in _WEIGHTED or operation.get_input_size() < 2:
        return False
    weights = operation.input(1)
    return bool(weights.get_partial_shape().is_static) and prod(weights.get_shape()) >= LEARNED
