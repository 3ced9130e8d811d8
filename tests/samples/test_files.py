"""The sample files are what their README says: small, complete, and odd where they should be odd."""

from __future__ import annotations

from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from PIL import Image

MEDIA = {".jpg", ".png", ".gif", ".mp4"}


def media(samples: Path) -> list[Path]:
    return sorted(path for path in samples.rglob("*") if path.suffix in MEDIA)


def test_the_readme_names_every_file(samples: Path) -> None:
    text = (samples / "README.md").read_text(encoding="utf-8")
    assert [path.name for path in media(samples) if f"`{path.name}`" not in text] == []


def test_the_folder_stays_small(samples: Path) -> None:
    files = [path for path in samples.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    assert sum(path.stat().st_size for path in files) < 8_000_000


def test_photos_are_of_a_handy_size(samples: Path) -> None:
    for path in (samples / "photos").iterdir():
        picture = cv2.imread(str(path))
        assert picture is not None, path
        assert max(picture.shape) <= 1280, path


def test_orientation_6_is_upright_once_turned(samples: Path) -> None:
    with Image.open(samples / "odd/orientation6.jpg") as stored:
        assert stored.size == (120, 180)
        assert stored.getexif()[0x0112] == 6
    turned = cv2.imread(str(samples / "odd/orientation6.jpg"))
    cat = cv2.resize(cv2.imread(str(samples / "photos/cat.jpg")), (180, 120), interpolation=cv2.INTER_AREA)
    assert cv2.PSNR(turned, cat) > 25


def test_grey16_uses_its_sixteen_bits(samples: Path) -> None:
    picture = cv2.imread(str(samples / "odd/grey16.png"), cv2.IMREAD_UNCHANGED)
    assert picture.dtype == np.uint16
    assert picture.ndim == 2
    assert len(np.unique(picture)) > 300


def test_alpha_has_clear_opaque_and_soft_pixels(samples: Path) -> None:
    alpha = cv2.imread(str(samples / "odd/alpha.png"), cv2.IMREAD_UNCHANGED)[..., 3]
    assert alpha.min() == 0
    assert alpha.max() == 255
    assert ((alpha > 0) & (alpha < 255)).any()


def test_the_gif_shows_its_frames_for_unequal_times(samples: Path) -> None:
    shown = []
    with Image.open(samples / "tiny.gif") as picture:
        for index in range(picture.n_frames):
            picture.seek(index)
            shown.append(picture.info["duration"])
    assert shown == [40, 80, 120] * 4


def test_the_upright_film_lies_in_its_file(samples: Path) -> None:
    with av.open(str(samples / "upright.mp4")) as file:
        frame = next(file.decode(file.streams.video[0]))
    assert (frame.width, frame.height, frame.rotation) == (320, 180, -90)


@pytest.mark.parametrize(
    ("name", "rate", "layout"), [("traffic", 48_000, "mono"), ("walk", 44_100, "stereo"), ("tiny", 48_000, "mono")]
)
def test_films_have_sound_to_the_end(samples: Path, name: str, rate: int, layout: str) -> None:
    with av.open(str(samples / f"{name}.mp4")) as file:
        track = file.streams.audio[0]
        assert (track.codec_context.name, track.rate, track.layout.name) == ("aac", rate, layout)
        length = float(file.streams.video[0].duration * file.streams.video[0].time_base)
        blocks = list(file.decode(track))
    assert blocks[-1].time == pytest.approx(length, abs=0.1)
    assert max(np.abs(block.to_ndarray()).max() for block in blocks) > 0.1


def test_videos_play_in_browsers(samples: Path) -> None:
    for path in samples.glob("*.mp4"):
        with av.open(str(path)) as file:
            video = file.streams.video[0].codec_context
            assert (video.name, video.pix_fmt) == ("h264", "yuv420p")
        head = path.read_bytes()
        assert head.index(b"moov") < head.index(b"mdat")
