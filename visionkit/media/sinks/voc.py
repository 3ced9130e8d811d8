"""``voc``: an XML file for each picture, as Pascal VOC has them."""

from __future__ import annotations

from xml.etree import ElementTree as Xml

from pydantic import Field

from visionkit.data import Image, Packet
from visionkit.expr import Template
from visionkit.media.sinks import paths
from visionkit.media.sinks.objects import clipped, detections_of
from visionkit.media.sinks.perframe import PerFrameParams, PerFrameSink
from visionkit.stage.source import SourceInfo


class VocParams(PerFrameParams):
    path: paths.SourcePath = Field(
        Template.parse("annotations/{source.folder}/{source.stem}.xml"),
        description="Where the XML of each picture goes, below the output folder; frames of a video get their index.",
    )


class VocSink(PerFrameSink[VocParams]):
    """The size of the picture and the box of every object, whole pixels from 1 as VOC counts them, with its score.

    (Everingham et al., The Pascal Visual Object Classes Challenge, 2010.)
    """

    def data(self, packet: Packet, frame: Image, source: SourceInfo) -> bytes:
        root = Xml.Element("annotation")
        _add(root, "folder", str(source.fields["folder"]))
        _add(root, "filename", (source.relpath or source.name).rpartition("/")[2])
        size = _add(root, "size")
        for name, value in (("width", frame.width), ("height", frame.height), ("depth", 3)):
            _add(size, name, str(value))
        for objects in detections_of(packet, self._names, frame):
            boxes = clipped(objects.xyxy.astype(float), frame.width, frame.height).tolist()
            for i, (x1, y1, x2, y2) in enumerate(boxes):
                entry = _add(root, "object")
                _add(entry, "name", str(objects.class_names[objects.class_id[i]]))
                _add(entry, "difficult", "0")
                _add(entry, "score", f"{float(objects.score[i]):.4f}")
                box = _add(entry, "bndbox")
                # VOC's pixels count from 1, both ends belong to the box
                corners = (int(x1) + 1, int(y1) + 1, max(int(x1) + 1, round(x2)), max(int(y1) + 1, round(y2)))
                for name, value in zip(("xmin", "ymin", "xmax", "ymax"), corners, strict=True):
                    _add(box, name, str(value))
        Xml.indent(root)
        return bytes(Xml.tostring(root, "utf-8")) + b"\n"


def _add(parent: Xml.Element, name: str, text: str | None = None) -> Xml.Element:
    child = Xml.SubElement(parent, name)
    child.text = text
    return child
