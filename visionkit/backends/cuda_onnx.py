"""ONNX Runtime on tensors where they lie: nothing goes through the host on the way in or out."""

from __future__ import annotations

from typing import Any

from visionkit.lazy import np, torch


class Bound:
    """A session whose first input and whose outputs are tensors of torch.

    The session has a stream of its own: torch's is waited for before a run, and a run ends when its stream is done.
    """

    def __init__(self, session: Any) -> None:
        self._session = session
        self._input = session.get_inputs()[0]
        self._outputs = session.get_outputs()

    @property
    def dtype(self) -> Any:
        """What the input is made of."""
        return torch.float16 if "float16" in self._input.type else torch.float32

    @property
    def fixed_batch(self) -> int | None:
        """The only batch size it takes; None if it takes any."""
        size = self._input.shape[0]
        return size if isinstance(size, int) else None

    def run(self, feed: Any) -> tuple[Any, ...]:
        """The outputs for a contiguous ``feed``, as tensors on its device."""
        binding, place = self._session.io_binding(), (feed.device.type, feed.device.index or 0)
        binding.bind_input(self._input.name, *place, _numpy(feed.dtype), tuple(feed.shape), feed.data_ptr())
        made = [self._made(output, feed) for output in self._outputs]
        for output, tensor in zip(self._outputs, made, strict=True):
            if tensor is None:
                binding.bind_output(output.name, "cpu")
            else:
                kind = _numpy(tensor.dtype)
                binding.bind_output(output.name, *place, kind, tuple(tensor.shape), tensor.data_ptr())
        if feed.is_cuda:
            torch.cuda.current_stream(feed.device).synchronize()
        self._session.run_with_iobinding(binding)
        pairs = zip(made, binding.get_outputs(), strict=True)
        return tuple(torch.from_numpy(v.numpy()).to(feed.device) if t is None else t for t, v in pairs)

    def _made(self, output: Any, feed: Any) -> Any:
        """A tensor for an output; None where the graph does not say how large it becomes."""
        known = {name: size for name, size in zip(self._input.shape, feed.shape, strict=True) if isinstance(name, str)}
        shape = [known.get(size, size) for size in output.shape]
        dtype = _DTYPES.get(output.type)
        if dtype is None or not all(isinstance(size, int) for size in shape):
            return None
        return torch.empty(shape, dtype=getattr(torch, dtype), device=feed.device)


_DTYPES = {"tensor(float)": "float32", "tensor(float16)": "float16", "tensor(int64)": "int64"}


def _numpy(dtype: Any) -> Any:
    return getattr(np, str(dtype).removeprefix("torch."))
