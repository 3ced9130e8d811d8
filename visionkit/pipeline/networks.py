"""How networks may be run: one list for ``run:`` in pipeline files and for the command line."""

from __future__ import annotations

from typing import Literal

Backend = Literal["auto", "own", "torch", "onnxruntime", "openvino", "cv2", "compile", "graphs", "tensorrt"]
Precision = Literal["auto", "fp32", "fp16", "bf16", "int8"]
