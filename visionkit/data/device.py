"""Pixels on a GPU: the one place that knows streams, events and page-locked memory. On a CPU they are no-ops.

Work on pixels runs on the stream that is current in the calling thread, copies to the GPU on one of their own. A
:class:`Placed` carries the event after which its tensor may be read, so stages in several threads need no other order.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from visionkit.errors import UsageError
from visionkit.frozen import Frozen
from visionkit.lazy import np, torch

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Placed(Frozen, eq=False):
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


def finish(device: str) -> None:
    """Wait until all that was enqueued on ``device`` is done: for clocks."""
    if is_gpu(device):
        torch.cuda.synchronize(device)


def check(device: str) -> None:
    """Raise UsageError for a GPU that torch does not find."""
    if not is_gpu(device) or torch.cuda.is_available():
        return
    raise UsageError(
        f"device {device}: torch {torch.__version__} finds no NVIDIA GPU",
        help="nvidia-smi shows the driver; a torch that ends in +cpu cannot use a GPU; device: auto takes the CPU",
    )


def made(tensor: Any) -> Placed:
    """What the calling thread has just enqueued the making of."""
    return Placed(tensor, torch.cuda.current_stream(tensor.device).record_event() if tensor.is_cuda else None)


def download(placed: Placed) -> NDArray[Any]:
    """The tensor as an array; waits for it."""
    return fetched([placed.take()])[0]


def sent(batch: Any, device: str) -> Any:
    """A batch (N, H, W, C) uint8 as a tensor (N, C, H, W) on ``device``; one that is a tensor as it is."""
    return torch.from_numpy(batch).to(device).permute(0, 3, 1, 2) if isinstance(batch, np.ndarray) else batch


def fetched(tensors: Sequence[Any]) -> tuple[NDArray[Any], ...]:
    """Tensors that the calling thread has just enqueued the making of, as arrays; waits for all of them at once."""
    if not all(tensor.is_cuda for tensor in tensors):
        return tuple(tensor.cpu().numpy() for tensor in tensors)
    staging = [torch.empty(tensor.shape, dtype=tensor.dtype, pin_memory=True) for tensor in tensors]
    for page_locked, tensor in zip(staging, tensors, strict=True):
        page_locked.copy_(tensor, non_blocking=True)
    if tensors:
        torch.cuda.current_stream(tensors[0].device).synchronize()
    return tuple(page_locked.numpy() for page_locked in staging)


@cache
def _copies(device: str) -> Any:
    """The stream for copies to ``device``: they overlap with what the GPU computes."""
    return _new_stream(device)


def _new_stream(device: Any) -> Any:
    new: Any = torch.cuda.Stream  # untyped
    return new(device)


class Recorded:
    """Work on a GPU that is recorded as a CUDA graph; on a CPU it is simply done again.

    Args:
        work: makes tensors from tensors that stay where they are. It is called a few times, on a stream of its own, so
            that libraries choose their kernels and allocate what they keep, and once more to be recorded.
        device: a torch.device.

    Attributes:
        outputs: what each replay fills anew.
        expected: what ``work`` gave when it was called.
    """

    WARM_UP = 3

    def __init__(self, work: Callable[[], Sequence[Any]], device: Any) -> None:
        self._graph: Any = None
        self._done: Any = None
        self._work, self._device = work, device
        if device.type != "cuda":
            self.expected = work()
            self.outputs = tuple(output.clone() for output in self.expected)
            return
        before, torch.backends.cudnn.benchmark = torch.backends.cudnn.benchmark, True
        try:
            self.expected = self._warmed_up()
            self._graph, stream = torch.cuda.CUDAGraph(), _new_stream(device)
            # other threads go on sending pictures while this one records
            record = torch.cuda.graph(self._graph, stream=stream, capture_error_mode="thread_local")
            with torch.cuda.device(device), record:
                self.outputs = tuple(work())
        finally:
            torch.backends.cudnn.benchmark = before

    def _warmed_up(self) -> Sequence[Any]:
        current, side = torch.cuda.current_stream(self._device), _new_stream(self._device)
        side.wait_stream(current)
        with torch.cuda.stream(side):
            results = [self._work() for _ in range(self.WARM_UP)]
        current.wait_stream(side)
        torch.cuda.synchronize(self._device)
        return results[-1]

    def replay(self) -> None:
        """Do the work again, on the calling thread's current stream."""
        if self._graph is not None:
            self._graph.replay()
        else:
            for output, new in zip(self.outputs, self._work(), strict=True):
                output.copy_(new)

    def done(self) -> None:
        """What the calling thread does with inputs and outputs is enqueued."""
        if self._graph is not None:
            self._done = torch.cuda.current_stream(self._device).record_event()

    def wait(self) -> None:
        """What comes next in the calling thread comes after what was said to be :meth:`done`, on whichever stream."""
        if self._done is not None:
            torch.cuda.current_stream(self._device).wait_event(self._done)
