"""Makes docs/gallery.md and its pictures with our own pipelines: ``python docs/make_gallery.py [NAME ...]``."""

from __future__ import annotations

import sys
from pathlib import Path

import cv2

from visionkit import Pipeline
from visionkit.media.sources import SourceOptions

ROOT = Path(__file__).resolve().parent.parent
IMAGES = ROOT / "docs" / "images" / "gallery"
LONGEST = 640
ROWS = (
    ("augment", "augment", 0),
    ("classify", "classify", 0),
    ("classify", "attention", 0),
    ("detect", "detect", 0),
    ("detect", "tiles", 0),
    ("propose", "rcnn", 0),
    ("segment", "segment", 0),
    ("segment", "studio", 0),
    ("segment", "divide", 0),
    ("segment", "superpixels", 0),
    ("pose", "pose", 20),
    ("track", "track", 40),
    ("track", "speed", 40),
    ("track", "follow", 20),
    ("ocr", "read_text", 0),
    ("ocr", "letters", 0),
    ("read", "codes", 0),
    ("restore", "enlarge", 0),
    ("style", "paint", 0),
    ("style", "starry", 0),
    ("edges", "sketch", 0),
)
"""Family, pipeline, and which frame of its sample."""
SAMPLES = {"detect": "photos/street.jpg"}
"""Where the sample is a folder: one of its pictures."""
HEAD = """# Gallery

Each picture is what a file of [pipelines/](../pipelines/) makes of a bundled sample:
`visionkit run pipelines/NAME.yaml samples/SAMPLE`. Made by `python docs/make_gallery.py`.
"""


def main() -> None:
    """Makes the pictures named, or all, and the page."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    for _, name, index in ROWS:
        if name in sys.argv[1:] or not sys.argv[1:]:
            cv2.imwrite(str(IMAGES / f"{name}.jpg"), picture(name, index), [cv2.IMWRITE_JPEG_QUALITY, 82])
    (ROOT / "docs" / "gallery.md").write_text(page(), encoding="utf-8")


def picture(name: str, index: int) -> cv2.typing.MatLike:
    """What a pipeline shows of one frame, at most ``LONGEST`` pixels wide or high."""
    path = ROOT / "pipelines" / f"{name}.yaml"
    options = SourceOptions(limit=index + 1, variants=1)
    *_, result = Pipeline.load(path).run(ROOT / "samples" / sample_of(path), options=options)
    pixels = result.image.bgr()
    ratio = min(1.0, LONGEST / max(pixels.shape[:2]))
    size = round(pixels.shape[1] * ratio), round(pixels.shape[0] * ratio)
    return cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)


def sample_of(path: Path) -> str:
    """The sample that a pipeline's comment names."""
    line = next(line for line in path.read_text("utf-8").splitlines() if line.startswith("# sample: "))
    return SAMPLES.get(path.stem, line.removeprefix("# sample: "))


def page() -> str:
    """The page: a section a family."""
    parts, before = [HEAD], ""
    for family, name, _ in ROWS:
        if family != before:
            parts.append(f"## {family}\n")
            before = family
        path = ROOT / "pipelines" / f"{name}.yaml"
        plan = Pipeline.load(path).plan
        said = f"[{name}.yaml](../pipelines/{name}.yaml) on `{sample_of(path)}`. {plan.description}"
        parts.append(f"![{plan.description}](images/gallery/{name}.jpg)\n\n{said}\n")
    return "\n".join(parts)


if __name__ == "__main__":
    main()
