"""Pixels on a GPU: the one place that knows streams, events and page-locked memory. On a CPU they are no-ops.

Work on pixels runs on the stream that is current in the calling thread, copies to the GPU on one of their own. A
:class:`Placed` carries the event after which its tensor may be read, so stages in several threads need no other order.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from visionkit.lazy import np, torch

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class Placed:
    """A tensor that nobody writes to, and the event after which it may be read; None if there is none to wait for."""

    tensor: Any
    ready: Any = None

    @property
    def nbytes(self) -> int:
        """Bytes of the tensor."""
        return int(self.tensor.nbytes)

    def take(self) -> Any:
        """The tensor, for work on the calling thread's current stream."""
        if self.ready is not None:
            stream = torch.cuda.current_stream(self.tensor.device)
            stream.wait_event(self.ready)
            self.tensor.record_stream(stream)  # its memory is not given away before that work is done
        return self.tensor

    def view(self, tensor: Any) -> Placed:
        """A view of the tensor, ready when that is."""
        return Placed(tensor, self.ready)


def is_gpu(device: str) -> bool:
    """Whether work on ``device`` is asynchronous and pixels have to be sent there."""
    return device.startswith("cuda")


def named(device: str) -> str:
    """``device`` with its number, as tensors name it."""
    return "cuda:0" if device == "cuda" else device


def upload(array: NDArray[Any], device: str) -> Placed:
    """A copy of ``array`` on its way to ``device``: through page-locked memory, on the stream for copies.

    torch keeps page-locked blocks, and hands one out again once the copy that reads it is done.
    """
    staging = torch.empty(array.shape, dtype=getattr(torch, array.dtype.name), pin_memory=is_gpu(device))
    np.copyto(staging.numpy(), array)
    if not is_gpu(device):
        return Placed(staging.to(device))
    stream = _copies(named(device))
    with torch.cuda.stream(stream):
        return Placed(staging.to(device, non_blocking=True), stream.record_event())


def made(tensor: Any) -> Placed:
    """What the calling thread has just enqueued the making of."""
    return Placed(tensor, torch.cuda.current_stream(tensor.device).record_event() if tensor.is_cuda else None)


def download(placed: Placed) -> NDArray[Any]:
    """The tensor as an array; waits for it."""
    tensor = placed.take()
    if not tensor.is_cuda:
        return np.asarray(tensor.cpu())
    staging = torch.empty(tensor.shape, dtype=tensor.dtype, pin_memory=True)
    staging.copy_(tensor, non_blocking=True)
    torch.cuda.current_stream(tensor.device).synchronize()
    return np.asarray(staging)


@cache
def _copies(device: str) -> Any:
    """The stream for copies to ``device``: they overlap with what the GPU computes."""
    new: Any = torch.cuda.Stream  # untyped
    return new(device)
