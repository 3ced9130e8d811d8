"""EasyOCR's two networks, the second one fed in real batches.

The library's own ``recognize`` pads every line to the widest of its batch, so that a line's reading depends on its
neighbours, and goes one by one on a CPU. Here lines of one width share a batch; a line alone gives what the library
gives.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from visionkit.errors import WeightsError
from visionkit.lazy import easyocr, load, np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    Pixels = NDArray[np.uint8]

LINE_HEIGHT = 64
UNSURE, CONTRAST = 0.1, 0.5  # lines below this score are read again with their contrast raised: the library's values
Line = tuple[Any, "Pixels", int]
"""Corners (4, 2) in the picture, grey pixels of the line, and the width it is padded to."""


class EasyOcr:
    """The library's reader for ``languages`` on files in ``folder``.

    Raises:
        WeightsError: there is no recogniser for these languages in the folder.
    """

    def __init__(self, folder: Path, languages: Sequence[str], device: str) -> None:
        try:
            with _quiet():
                self._reader = easyocr.Reader(
                    list(languages),
                    gpu=device if device != "cpu" else False,
                    model_storage_directory=str(folder),
                    user_network_directory=str(folder),
                    download_enabled=False,
                    verbose=False,
                    quantize=False,
                )
        except (FileNotFoundError, ValueError) as error:
            message = f"these weights have no recogniser for {', '.join(languages)}"
            raise WeightsError(message, help=f"EasyOCR says: {error}") from error
        unknown = set(self._reader.character) - set(self._reader.lang_char)
        self._ignored = [self._reader.character.index(character) + 1 for character in unknown]

    def lines(self, bgr: Pixels, gray: Pixels) -> list[Line]:
        """The lines that the first network finds in a picture."""
        with _quiet():
            level, tilted = self._reader.detect(bgr, reformat=False)
        pieces = [([box], []) for box in level[0]] + [([], [box]) for box in tilted[0]]
        return [line for boxes, quads in pieces for line in _cut(boxes, quads, gray)]

    def read(self, lines: Sequence[Line]) -> list[tuple[str, float]]:
        """Text and score of each line."""
        first = self._predicted(lines, 0.0)
        weak = [place for place, (_, score) in enumerate(first) if score < UNSURE]
        again = self._predicted([lines[place] for place in weak], CONTRAST)
        for place, reading in zip(weak, again, strict=True):
            first[place] = max(first[place], reading, key=lambda found: found[1])
        return first

    def _predicted(self, lines: Sequence[Line], contrast: float) -> list[tuple[str, float]]:
        recognition, pillow = load("easyocr.recognition"), load("PIL.Image")
        groups: dict[int, list[int]] = {}
        for place, (_, _, width) in enumerate(lines):
            groups.setdefault(width, []).append(place)
        found: dict[int, tuple[str, float]] = {}
        for width, places in groups.items():
            collate = recognition.AlignCollate(LINE_HEIGHT, width, keep_ratio_with_pad=True, adjust_contrast=contrast)
            with _quiet():
                batch = collate([pillow.fromarray(lines[place][1]) for place in places])
                readings = recognition.recognizer_predict(
                    self._reader.recognizer,
                    self._reader.converter,
                    [batch],
                    width // 10,
                    self._ignored,
                    {},
                    device=self._reader.device,
                )
            found |= {place: (text, float(score)) for place, (text, score) in zip(places, readings, strict=True)}
        return [found[place] for place in range(len(lines))]


def whole(gray: Pixels) -> list[Line]:
    """The whole picture (H, W) as one line; none if it is too narrow for a letter."""
    height, width = gray.shape
    return _cut([[0, width, 0, height]], [], gray)


def _cut(boxes: list[Any], quads: list[Any], gray: Pixels) -> list[Line]:
    """Lines cut out one at a time, so that each is padded as if it were alone."""
    lines, width = load("easyocr.utils").get_image_list(boxes, quads, gray, model_height=LINE_HEIGHT)
    return [(corners, pixels, int(width)) for corners, pixels in lines]


@contextmanager
def _quiet() -> Iterator[None]:
    """Hides the warnings of parts that the library still uses and others have deprecated."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
