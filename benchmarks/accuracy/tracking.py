"""Tracking: the stages against the package ``trackers`` run by hand, and HOTA, MOTA, IDF1 on the sample videos."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import av
import numpy as np

from benchmarks.accuracy.lab import Finding, Lab
from visionkit.data import Detections, Image
from visionkit.lazy import load, supervision, trackers

LOST, SURE = 30, 0.4
TRACKERS: dict[str, tuple[dict[str, Any], Callable[[], Any]]] = {
    "track.sort": ({"lost_frames": LOST, "start_score": SURE}, lambda: trackers.SORTTracker(LOST, 30.0, SURE)),
    "track.bytetrack": (
        {"lost_frames": LOST, "start_score": SURE, "high_score": SURE},
        lambda: trackers.ByteTrackTracker(LOST, track_activation_threshold=SURE, high_conf_det_threshold=SURE),
    ),
    "track.ocsort": (
        {"lost_frames": LOST, "high_score": SURE},
        lambda: trackers.OCSORTTracker(LOST, high_conf_det_threshold=SURE),
    ),
    "track.botsort": (
        {"lost_frames": LOST, "start_score": SURE, "high_score": SURE},
        lambda: trackers.BoTSORTTracker(LOST, track_activation_threshold=SURE, high_conf_det_threshold=SURE),
    ),
}
"""Stage: its parameters, and the library's tracker with the same ones."""
VIDEOS: dict[str, tuple[str, ...] | None] = {
    "walk.mp4": ("person", "dog"),
    "traffic.mp4": ("car", "truck", "bus"),
    "one-by-one-person-detection.mp4": ("person",),
    "car-detection.mp4": None,
}
"""Video: the classes to follow; SSD takes cars seen from above for anything."""

FRAMES = 300
Scene = Sequence[tuple[Image, Detections]]


def findings(lab: Lab) -> Iterator[Finding]:
    """Of four trackers on what SSD MobileNet v2 finds in four videos; two of them have ground truth."""
    scenes = {name: seen(lab, name, classes) for name, classes in VIDEOS.items()}
    total = sum(len(scene) for scene in scenes.values())
    on = f"{total} frames of {len(scenes)} videos"
    for name, (params, make) in TRACKERS.items():
        other, scores = 0, []
        for video, scene in scenes.items():
            with lab.stage(name, **params) as stage:
                tracks = [stage.run(objects, image) for image, objects in scene]
            other += differing(tracks, by_hand(make(), scene))
            if (truth := lab.samples / video).with_suffix(".mot.txt").exists():
                scores += list(_scores(name, video, truth.with_suffix(".mot.txt"), tracks))
        yield Finding("track", f"`{name}`: frames with other tracks than the library's", other, most=0, on=on)
        yield from scores


def seen(lab: Lab, video: str, classes: Sequence[str] | None) -> Scene:
    """The first frames of a video and what is found in them."""
    path = lab.samples / video if (lab.samples / video).exists() else lab.data / "videos" / video
    with lab.stage("detect", classes=classes, min_score=0.3) as stage, av.open(str(path)) as opened:
        images = [Image(frame.to_ndarray(format="bgr24")) for frame in islice(opened.decode(video=0), FRAMES)]
        return [(image, stage.run([image])[0]) for image in images]


def by_hand(tracker: Any, scene: Scene) -> list[dict[int, np.ndarray]]:
    """What the library gives for each frame: id, from 1, → box (4,)."""
    sees = isinstance(tracker, trackers.BoTSORTTracker)
    rows = []
    for image, objects in scene:
        given = supervision.Detections(np.array(objects.xyxy), confidence=np.array(objects.score))
        found = tracker.update(given, **({"frame": image.bgr()} if sees else {}))
        pairs = zip(found.tracker_id if len(found) else (), found.xyxy, strict=True)
        rows.append({int(i) + 1: box for i, box in pairs if i >= 0})
    return rows


def differing(tracks: Sequence[Detections], wanted: Sequence[dict[int, np.ndarray]]) -> int:
    """On how many frames ids or boxes are not exactly those."""
    return sum(not same(ours, theirs) for ours, theirs in zip(tracks, wanted, strict=True))


def same(ours: Detections, theirs: dict[int, np.ndarray]) -> bool:
    """Whether ids and boxes are exactly those of the library."""
    ids = [] if ours.track_id is None else ours.track_id.tolist()
    found = dict(zip(ids, ours.xyxy, strict=True))
    return found.keys() == theirs.keys() and all(np.array_equal(box, theirs[i]) for i, box in found.items())


def _scores(name: str, video: str, truth: Path, tracks: Sequence[Detections]) -> Iterator[Finding]:
    with TemporaryDirectory() as folder:
        wanted, path = Path(folder) / "truth.txt", Path(folder) / "tracks.txt"
        wanted.write_text("".join(f"{_of_class_one(line)}\n" for line in truth.read_text().splitlines()))
        path.write_text("".join(_mot_lines(tracks)))
        found = load("trackers.eval.evaluate").evaluate_mot_sequence(wanted, path, ["CLEAR", "HOTA", "Identity"])
    for metric, value in (("HOTA", found.HOTA.HOTA), ("MOTA", found.CLEAR.MOTA), ("IDF1", found.Identity.IDF1)):
        on = "its exact ground truth, hidden objects included"
        yield Finding("track", f"`{name}` on {video}: {metric}", float(value), on=on)


def _of_class_one(line: str) -> str:
    """A line of ground truth; the scorer counts class 1, MOTChallenge's pedestrian, and passes over all others."""
    fields = line.split(",")
    return ",".join([*fields[:7], "1", *fields[8:]])


def _mot_lines(tracks: Sequence[Detections]) -> Iterator[str]:
    for number, found in enumerate(tracks, 1):
        for track, (x1, y1, x2, y2), score in zip(found.track_id, found.xyxy.tolist(), found.score, strict=True):
            yield f"{number},{track},{x1:.2f},{y1:.2f},{x2 - x1:.2f},{y2 - y1:.2f},{score:.3f},-1,-1,-1\n"
