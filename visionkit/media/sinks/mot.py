"""``mot``: tracks as MOTChallenge text, which TrackEval and py-motmetrics read."""

from __future__ import annotations

from pydantic import Field

from visionkit.data import Packet
from visionkit.expr import Template
from visionkit.media.sinks import paths
from visionkit.media.sinks.objects import detections_of
from visionkit.media.sinks.tables import TableParams, TableSink
from visionkit.stage.source import SourceInfo


class MotParams(TableParams):
    path: paths.SourcePath = Field(
        Template.parse("mot/{source.relpath}.txt"), description="One table for each video, below the output folder."
    )


class MotSink(TableSink[MotParams]):
    """A line for every object: frame, id, left, top, width, height, score, -1, -1, -1.

    Frames count from 1; left and top too, as MOTChallenge has it. Objects without a track have id -1.
    (Milan et al., MOT16, 2016.)
    """

    def text(self, packet: Packet, source: SourceInfo) -> str:
        rows = []
        for objects in detections_of(packet, self._names):
            for i, (x1, y1, x2, y2) in enumerate(objects.xyxy.astype(float).tolist()):
                track = -1 if objects.track_id is None else int(objects.track_id[i])
                box = f"{x1 + 1:.2f},{y1 + 1:.2f},{x2 - x1:.2f},{y2 - y1:.2f}"
                rows.append(f"{packet.key.index + 1},{track},{box},{float(objects.score[i]):.4f},-1,-1,-1\n")
        return "".join(rows)
