"""Videos decoded by a GPU's own decoder (NVDEC), through FFmpeg's in PyAV: frames never leave the GPU.

Times, seeking, broken packets and sessions are those of every other video. FFmpeg gives frames as NV12 in the order of
the default stream; they become pictures at once, since the decoder has only some twenty surfaces to give away.
"""

from __future__ import annotations

from collections import deque
from contextlib import closing
from typing import TYPE_CHECKING, Any

from visionkit.data import Image
from visionkit.data.planes import of_yuv
from visionkit.errors import SourceError, VisionkitError
from visionkit.lazy import av, load, torch
from visionkit.media.containers import best_video, open_local, reason

if TYPE_CHECKING:
    from av import VideoFrame
    from av.container import InputContainer

MATRICES = {1: "bt709", 2: "bt601", 5: "bt601", 6: "bt601"}
"""FFmpeg's colour spaces that are converted on the device; 2 is unspecified."""
_LIMITED = (0, 1)


def open_on(path: str, device: str) -> InputContainer:
    """The container of a local file whose frames stay on ``device``.

    Raises:
        SourceError: it cannot be read, or there is no such decoder.
    """
    hwaccel = load("av.codec.hwaccel").HWAccel
    index = device.partition(":")[2] or "0"
    try:
        accelerator = hwaccel("cuda", device=index, allow_software_fallback=False, is_hw_owned=True)
    except TypeError as error:
        raise SourceError("this PyAV is too old: pip install -U av") from error
    try:
        return open_local(path, accelerator)
    except (NotImplementedError, RuntimeError) as error:  # how PyAV says that no decoder of the GPU is for the codec
        raise SourceError(f"{path}: {error}") from error


def objection(path: str, device: str) -> str:
    """Why a video is not for NVDEC; empty if its first frame came from there as it should."""
    try:
        load("torch")
        with closing(open_on(path, device)) as container:
            frame = next(container.decode(best_video(container, path)))
            return objection_to(frame) if frame.format.name == "cuda" else f"decodes no {frame.format.name}"
    except StopIteration:
        return "it has no frames"
    # PyAV's own and FFmpeg's errors, a codec that PyAV cannot decode (NotImplementedError): then the CPU tries
    except (VisionkitError, OSError, ValueError, NotImplementedError, av.error.FFmpegError) as error:
        return error.message if isinstance(error, VisionkitError) else reason(error)


def objection_to(frame: VideoFrame) -> str:
    """Why a frame is not converted on the device; empty if it is."""
    kind = getattr(frame, "sw_format", None) or frame.format
    if getattr(kind, "name", kind) != "nv12":
        return f"frames are {getattr(kind, 'name', kind)}, not NV12"
    if frame.width % 2 or frame.height % 2:
        return "its sides are odd"
    if frame.color_range not in _LIMITED or frame.colorspace not in MATRICES:
        return "of its range or matrix"
    return ""


class Converter:
    """Makes pictures of a video's frames on the device, in the default stream, which FFmpeg writes them in."""

    def __init__(self) -> None:
        self._held: deque[tuple[Any, Any]] = deque()  # surfaces that are still being read, and the events of that

    def __call__(self, frame: VideoFrame) -> Image:
        """The upright picture.

        Raises:
            SourceError: the frame is of a kind that is not converted here.
        """
        if text := objection_to(frame):
            raise SourceError(f"NVDEC gave a frame that is not read: {text}")
        y, uv = (torch.utils.dlpack.from_dlpack(plane.__dlpack__()) for plane in frame.planes)
        if not y.is_cuda:
            return Image.of_tensor(_upright(y, uv, frame))
        with torch.cuda.stream(torch.cuda.default_stream(y.device)):
            image = Image.of_tensor(_upright(y, uv, frame))
            self._held.append((torch.cuda.current_stream(y.device).record_event(), (y, uv)))
        while self._held and self._held[0][0].query():
            self._held.popleft()
        return image


def _upright(y: Any, uv: Any, frame: VideoFrame) -> Any:
    planes = of_yuv(y, uv[..., 0], uv[..., 1], MATRICES[int(frame.colorspace)])
    turns = frame.rotation % 360 // 90
    return torch.rot90(planes, turns, (1, 2)).contiguous() if turns else planes
