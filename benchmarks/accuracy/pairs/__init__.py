"""Every stage of the catalogue, with the library call that somebody would write in its place."""

from __future__ import annotations

from types import MappingProxyType

from benchmarks.accuracy.pairs.drawn import DRAWN
from benchmarks.accuracy.pairs.finders import CLASSIC, OBJECTS
from benchmarks.accuracy.pairs.networks import NETWORKS
from benchmarks.accuracy.pairs.pair import Pair
from benchmarks.accuracy.pairs.pictures import AUGMENTS, PICTURES

PAIRS: tuple[Pair, ...] = (*PICTURES, *AUGMENTS, *CLASSIC, *NETWORKS, *OBJECTS, *DRAWN)

WITHOUT = MappingProxyType(
    {
        "propose.selective": "OpenCV 5 has selective search in its contributed modules alone, which are not installed; "
        "of scikit-image it uses the first step, felzenszwalb",
        "style.gatys": "is itself the loop around torch that one would write by hand",
        "track.speed": "draws a line through a second of positions: arithmetic, no library",
        "tile": "works out a grid of boxes: arithmetic, no library",
    }
)
"""Stages with no library call in their place, and why."""

MORE = MappingProxyType(
    {
        "contours": "an object of each outline: polygon, area and perimeter on the frame",
        "draw.blur": "in the object's mask or outline, where it has one",
        "draw.flow": "from any canvas, and no arrows shorter than a pixel",
        "draw.heatmap": "a look for values that are no number",
        "draw.pixelate": "in the object's mask or outline, where it has one",
        "draw.polygons": "from any canvas, and numbers that are none do no harm",
        "draw.trails": "smooth lines, the newer half thicker",
        "labels.mask": "every class number is checked to have a name",
        "segment.flatten": "the best on top; every class number is checked to have a name",
        "segment.objects": "an object of each patch, with a score and a place on the frame",
        "segment.polygons": "onto the frame",
        "segment.watershed": "a mask of each thing, cut to it, with a place on the frame",
        "select": "an expression of the file, which knows null",
        "track.bytetrack": "age, class and columns of each; frames nobody looked at",
        "track.object": "the change of size, from all pairs of points",
        "track.ocsort": "age, class and columns of each; frames nobody looked at",
        "track.sort": "age, class and columns of each; frames nobody looked at",
        "visible": "by any map between two pictures, with masks, outlines and keypoints",
        "zones.count": "who came and went, and how long each stays",
    }
)
"""Stages that do more than the call beside them, and what."""

__all__ = ["MORE", "PAIRS", "WITHOUT", "Pair"]
