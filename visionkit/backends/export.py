"""Networks of torch as ONNX files."""

from __future__ import annotations

import os
import warnings
from pathlib import Path
from typing import Any

from visionkit.backends.model import Model
from visionkit.errors import WeightsError
from visionkit.lazy import load, np, torch


def export(model: Model, height: int, width: int, path: Path, *, any_size: bool = False) -> None:
    """Write a network of torch as ONNX, for pictures of one size, or with ``any_size`` of all, in batches of any.

    Raises:
        WeightsError: it cannot be exported.
        MissingExtraError: the package onnx, which torch exports with, is not installed.
    """
    module = getattr(model, "traceable_module", None)
    if module is None:
        raise WeightsError(f"{model.entry.name}: it does not take pictures as one tensor")
    load("onnx")
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.stem}-{os.getpid()}.part")
    try:
        with warnings.catch_warnings(), torch.inference_mode():
            warnings.simplefilter("ignore")  # of the tracer, about shapes; where they are free, they are compared
            _write(model, module, (height, width), part, any_size)
    except (RuntimeError, TypeError, ValueError, torch.onnx.errors.OnnxExporterError) as error:
        part.unlink(missing_ok=True)
        raise WeightsError(f"{model.entry.name}: cannot be exported: {str(error).splitlines()[0][:200]}") from error
    part.replace(path)


def _write(model: Model, module: Any, size: tuple[int, int], path: Path, any_size: bool) -> None:
    blank = np.zeros((1, *size, len(model.spec.mean)), np.uint8)
    pictures = model.pictures(blank).contiguous()  # type: ignore[attr-defined]  # networks of torch have it
    # to the tracing exporter the sizes that a head remembers are constants: of those to be free it must not know one
    probe = np.zeros((1, size[0] + 64, *blank.shape[2:]), np.uint8) if any_size else blank
    names = [f"output{i}" for i in range(len(model.forward(probe)))]  # type: ignore[attr-defined]
    axes = {name: {0: "batch"} for name in ("pictures", *names)}
    axes["pictures"] |= {2: "height", 3: "width"} if any_size else {}
    options: dict[str, Any] = {"dynamo": False, "input_names": ["pictures"], "opset_version": 17}
    torch.onnx.export(module, (pictures,), str(path), output_names=names, dynamic_axes=axes, **options)
