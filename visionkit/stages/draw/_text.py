"""Text on pixels, in any script, quickly.

OpenCV 5 has fonts of its own for Latin, Greek, Cyrillic, Arabic, Hebrew, Chinese, Japanese and Korean; older ones only
know ASCII, there Pillow writes the rest with a font of the system. ``font:`` names a file for scripts beyond these.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from visionkit.errors import UsageError
from visionkit.lazy import cv2, load, np
from visionkit.stages.draw._style import BGR, on_color

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    Pixels = NDArray[np.uint8]

SYSTEM_FONTS = ("NotoSansCJK-Regular.ttc", "Arial Unicode.ttf", "msyh.ttc", "DejaVuSans.ttf", "Arial.ttf")
WEIGHT = 500  # a little bold: thin letters drown in a picture
MAX_TILES = 1000


class Lettering:
    """Writes lines of text. One instance belongs to one stage.

    Args:
        font: path of a TrueType or OpenType file; None takes OpenCV's own or the system's.

    Raises:
        UsageError: the file is no font.
    """

    def __init__(self, font: Path | None = None) -> None:
        self._font = str(font) if font else None
        self._modern = hasattr(cv2, "FontFace")
        self._pillow: dict[int, Any] = {}
        self._tiles: dict[tuple[str, int, BGR], Pixels] = {}
        if font:
            self._pillow_font(16)
        self._faces = threading.local()

    def width(self, text: str, height: int) -> int:
        """Pixels that ``text`` takes at letter size ``height``."""
        if self._modern:
            return int(cv2.getTextSize((0, 0), text, (0, 0), self._face, height, WEIGHT)[2])
        if text.isascii() and not self._font:
            return int(cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, *_hershey(height))[0][0])
        return int(self._pillow_font(height).getlength(text))

    @property
    def _face(self) -> Any:
        """OpenCV's font. Each thread makes one of its own: those of one thread share their size, whoever calls them."""
        face = getattr(self._faces, "face", None)
        if face is None:
            face = self._faces.face = cv2.FontFace(self._font or "sans")
        return face

    def line(self, height: int) -> int:
        """Pixels from one line to the next at letter size ``height``."""
        return round(height * 1.3)

    def write(self, pixels: Pixels, text: str, x: int, y: int, height: int, color: BGR) -> None:
        """Draw one line whose top left corner is (x, y); what lies outside the picture is cut off."""
        base = y + round(height * 0.97)
        if self._modern:
            cv2.putText(pixels, text, (x, base), color, self._face, height, WEIGHT)
        elif text.isascii() and not self._font:
            scale, width = _hershey(height)
            cv2.putText(pixels, text, (x, base), cv2.FONT_HERSHEY_SIMPLEX, scale, color, width, cv2.LINE_AA)
        else:
            self._blend(pixels, text, x, base, height, color)

    def tag(self, pixels: Pixels, text: str, x: int, y: int, height: int, background: BGR) -> None:
        """One line on a filled box whose *bottom* left corner is (x, y), moved to stay in the picture."""
        tile = self._tile(text, height, background)
        high, wide = tile.shape[:2]
        x = max(0, min(x, pixels.shape[1] - wide))
        top = y - high if y >= high else max(0, min(y, pixels.shape[0] - high))
        area = pixels[top : top + high, x : x + wide]
        area[:] = tile[: area.shape[0], : area.shape[1]]

    def block(self, pixels: Pixels, texts: Sequence[str], corner: str, height: int, background: BGR) -> None:
        """Lines on filled boxes in a corner: "top-left", "bottom-right", ..."""
        line = self.line(height)
        y = 0 if corner.startswith("top") else pixels.shape[0] - line * len(texts)
        for text in texts:
            y += line
            x = 0 if corner.endswith("left") else pixels.shape[1]  # moved in by its own width
            self.tag(pixels, text, x, y, height, background)

    def _tile(self, text: str, height: int, background: BGR) -> Pixels:
        """The pixels of a tag. Labels repeat from frame to frame; pasting one costs a tenth of writing it."""
        key = (text, height, background)
        tile = self._tiles.pop(key, None)
        if tile is None:
            margin = max(2, height // 5)
            tile = np.empty((self.line(height), self.width(text, height) + 2 * margin, 3), np.uint8)
            cv2.rectangle(tile, (0, 0), tile.shape[1::-1], background, cv2.FILLED)
            self.write(tile, text, margin, 0, height, on_color(background))
            if len(self._tiles) >= MAX_TILES:
                del self._tiles[next(iter(self._tiles))]
        self._tiles[key] = tile  # the last used is last, so that the first is the one to drop
        return tile

    def _pillow_font(self, height: int) -> Any:
        if height not in self._pillow:
            fonts = load("PIL.ImageFont")
            self._pillow[height] = _first_font(fonts, self._font, height)
        return self._pillow[height]

    def _blend(self, pixels: Pixels, text: str, x: int, base: int, height: int, color: BGR) -> None:
        mask, (left, top) = self._pillow_font(height).getmask2(text, mode="L", anchor="ls")
        glyphs = np.asarray(load("PIL.Image").Image()._new(mask))
        x, y = x + left, base + top
        x1, y1 = max(0, x), max(0, y)
        area = pixels[y1 : max(0, y + glyphs.shape[0]), x1 : max(0, x + glyphs.shape[1])]
        alpha = glyphs[y1 - y :, x1 - x :][: area.shape[0], : area.shape[1], None] / np.float32(255)
        area[:] = area + (np.array(color, np.float32) - area) * alpha + np.float32(0.5)


def _first_font(fonts: Any, path: str | None, height: int) -> Any:
    for name in [path] if path else SYSTEM_FONTS:
        try:
            return fonts.truetype(name, height)
        except OSError as error:
            if path:
                raise UsageError(f"{path} is no font that can be read", help="give a .ttf or .otf file") from error
    return fonts.load_default(height)


def _hershey(height: int) -> tuple[float, int]:
    """Scale and thickness of OpenCV's stroked letters at a letter size."""
    return height / 30, max(1, round(height / 14))
