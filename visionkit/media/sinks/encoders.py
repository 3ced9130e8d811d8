"""Video encoders and their settings: one scale of quality and three speeds for all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Literal

from visionkit.frozen import Frozen

CodecName = Literal["h264", "hevc", "av1", "vp9", "mjpeg"]
Speed = Literal["fast", "default", "small"]
DEFAULT_QUALITY = 75


class Encoder(Frozen):
    """How FFmpeg's encoder ``name`` is asked.

    Attributes:
        scale: what ``quality`` 0 and 100 are on the encoder's own scale, under the options ``control``.
        speeds: its options for each speed.
        fixed: its options in any case.
    """

    name: str
    control: str
    scale: tuple[float, float]
    speeds: Mapping[Speed, Mapping[str, str]]
    fixed: Mapping[str, str] = field(default_factory=dict)
    pixels: str = "yuv420p"

    def options(self, speed: Speed, quality: int | None) -> dict[str, str]:
        low, high = self.scale
        value = low + (high - low) * (quality or DEFAULT_QUALITY) / 100
        return {**self.fixed, **self.speeds[speed], **dict.fromkeys(self.control.split(), f"{value:.0f}")}


def _presets(option: str, fast: str, default: str, small: str) -> dict[Speed, dict[str, str]]:
    return {"fast": {option: fast}, "default": {option: default}, "small": {option: small}}


_CRF = (48, 14.67)
"""x264's scale: 75 is CRF 23, its own default."""

_HALFWAY = {"preset": "superfast", "mbtree": "1", "rc-lookahead": "5", "bf": "2", "b_strategy": "0"}
"""As small as x264's preset veryfast in half its time, for 0.2 to 1 dB less: what was seen five frames ahead decides
where bits go, every third frame is referred to."""

ENCODERS: Mapping[str, Encoder] = {
    "h264": Encoder(
        "libx264", "crf", _CRF, {"fast": {"preset": "ultrafast"}, "default": _HALFWAY, "small": {"preset": "slow"}}
    ),
    "hevc": Encoder(
        "libx265",
        "crf",
        (53, 19.67),
        _presets("preset", "ultrafast", "fast", "slow"),
        {"x265-params": "log-level=error"},
    ),
    "av1": Encoder("libsvtav1", "crf", (60, 26.67), _presets("preset", "12", "8", "5")),
    "vp9": Encoder(
        "libvpx-vp9",
        "crf",
        (58, 24.67),
        _presets("cpu-used", "8", "5", "2"),
        {"deadline": "good", "row-mt": "1", "b": "0"},
    ),
    "mjpeg": Encoder("mjpeg", "qmin qmax", (31, 2), {"fast": {}, "default": {}, "small": {}}, pixels="yuvj420p"),
}

RECORDER = Encoder(
    "libx264",
    "crf",
    _CRF,
    _presets("preset", "ultrafast", "veryfast", "slow"),
    {"tune": "zerolatency", "forced-idr": "1"},
)
"""H.264 frame by frame: every frame comes out as it goes in, and a key frame whenever one is asked for."""

BROWSER_AUDIO = frozenset({"aac", "mp3", "opus", "flac", "ac3", "eac3", "alac"})


class Container(Frozen):
    """A file format: FFmpeg's name and options, the codecs it holds, what other audio is turned into."""

    format: str
    options: Mapping[str, str]
    codecs: frozenset[str]
    audio: frozenset[str]
    fallback: str


def containers(hybrid: bool) -> dict[str, Container]:
    """Formats by extension; each is playable up to the last group of pictures if the process is killed.

    ``hybrid``: FFmpeg 7.1 and later write fragments first and a plain index at the end.
    """
    fragments = "hybrid_fragmented" if hybrid else "frag_keyframe+default_base_moof"
    # negative_cts_offsets: the first frame keeps its time in spite of B-frames; delay_moov: so does the first audio
    movie = {"movflags": f"{fragments}+negative_cts_offsets+delay_moov", "flush_packets": "1"}
    every = frozenset({"h264", "hevc", "av1", "vp9", "mjpeg"})
    mp4 = Container("mp4", movie, every, BROWSER_AUDIO, "aac")
    mkv = Container("matroska", {"flush_packets": "1"}, every, BROWSER_AUDIO | {"vorbis", "pcm_s16le", "dts"}, "aac")
    free = frozenset({"opus", "vorbis"})
    webm = Container("webm", {"flush_packets": "1"}, frozenset({"av1", "vp9"}), free, "libopus")
    return {"mp4": mp4, "m4v": mp4, "mov": Container("mov", movie, every, mp4.audio, "aac"), "mkv": mkv, "webm": webm}
