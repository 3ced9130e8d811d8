"""Families without a module of their own: augmentation, proposals, edges, mattes, faces, YOLO's masks, codes."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

import av
import cv2
import numpy as np

from benchmarks.accuracy import codes, style
from benchmarks.accuracy.detection import truth
from benchmarks.accuracy.lab import Finding, Lab
from visionkit.data import Detections, Image, Key, Masks
from visionkit.data.geometry import clip_boxes, iou
from visionkit.lazy import load
from visionkit.weights.contained import load_ultralytics

MOVES = ("flip", "rotate", "scale", "translate", "shear", "perspective", "crop", "turn")
PEOPLE, PROPOSED, FACES, PHOTOS, CODES = 12, 16, 16, 12, 60
SMALL = 320


def findings(lab: Lab) -> Iterator[Finding]:
    """A number or two for each."""
    for family in (augmented, proposed, contours, mattes, faces, yolo, read, followed):
        yield from family(lab)


def augmented(lab: Lab) -> Iterator[Finding]:
    """Outlines and boxes move as albumentations moves the pixels of the people's own masks."""
    outlines, boxes = [], []
    for name in MOVES:
        with lab.stage(f"augment.{name}", probability=1.0) as stage:
            for number, path in enumerate(sorted((lab.data / "pennfudan" / "PedMasks").glob("*.png"))[:PEOPLE]):
                ids = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
                for person in range(1, int(ids.max()) + 1):
                    both, box = _moved(stage, ids == person, Key("pennfudan", 0, number))
                    outlines += both
                    boxes += box
    on = f"{len(outlines)} masks of people, {len(MOVES)} moves, Penn-Fudan; beside albumentations on their pixels"
    yield Finding("augment", "masks that moved along: median IoU", float(np.median(outlines)), least=0.98, on=on)
    yield Finding("augment", "masks that moved along: worst IoU", min(outlines), least=0.9, on=on)
    on = f"{len(boxes)} of them, moves that keep boxes upright, nobody cut off"
    yield Finding("augment", "boxes that moved along: worst IoU", min(boxes), least=0.9, on=on)


def _moved(stage: Any, mask: np.ndarray, key: Key) -> tuple[list[float], list[float]]:
    """The IoU of a moved mask, and that of its box where the whole of it stays in the picture; nothing if it left."""
    image = Image(mask.astype(np.uint8) * 255, "gray")
    moved = stage.run(image, key)
    wanted = moved.gray() >= 128
    if wanted.sum() < 400:
        return [], []
    person = Detections(
        image.canvas, [_box(mask)], [1.0], [0], ("person",), masks=Masks.from_bitmaps([mask], image.canvas)
    )
    along = person.on(moved.canvas)
    found = along.masks.rasterised(moved.canvas)[0]
    both = float((found & wanted).sum() / (found | wanted).sum())
    x1, y1, x2, y2 = box = _box(wanted)
    whole = x1 > 0 and y1 > 0 and x2 < moved.width and y2 < moved.height
    if along.corners is not None or not whole:
        return [both], []
    return [both], [float(iou(clip_boxes(along.xyxy, moved.width, moved.height), np.array([box]))[0, 0])]


def _box(mask: np.ndarray) -> list[float]:
    x, y, wide, high = cv2.boundingRect(mask.astype(np.uint8))
    return [x, y, x + wide, y + high]


def proposed(lab: Lab) -> Iterator[Finding]:
    """How many of the labelled objects are among the proposals."""
    found, objects, boxes = 0, 0, 0
    with lab.stage("propose.selective") as stage:
        for path, image in islice(zip(lab.photo_paths, lab.photos, strict=True), PROPOSED):
            wanted, regions = truth(path, image)[:, 1:], stage.run(image)
            boxes += len(regions)
            objects += len(wanted)
            found += int((iou(wanted, regions.xyxy).max(axis=1, initial=0) >= 0.5).sum())
    on = f"{objects} objects of {PROPOSED} photos of COCO128, {boxes / PROPOSED:.0f} proposals each"
    yield Finding("propose", "`propose.selective`: objects with a proposal of IoU ≥ 0.5", found / objects, on=on)


def contours(lab: Lab) -> Iterator[Finding]:
    """HED, fed and read by hand."""
    model, torch = lab.models.model("hed", "edges"), load("torch")
    furthest = 0.0
    with lab.stage("edges.hed", size=SMALL) as stage:
        for image in map(_small, lab.sample_photos[:4]):
            planes = image.bgr().astype(np.float32) - np.array(model.spec.mean, np.float32)
            with torch.inference_mode():
                chance = model.module(torch.from_numpy(planes.transpose(2, 0, 1)[None].copy()))[0, 0].numpy()
            furthest = max(furthest, float(np.abs(stage.run([image])[0].gray() - chance * 255).max()))
    yield Finding(
        "edges", "`edges.hed`: furthest from the bare network", furthest, "of 255", most=1, on="4 sample photos"
    )


def mattes(lab: Lab) -> Iterator[Finding]:
    """U²-Netp, called as its own demo does."""
    path, spec = lab.models.file("u2netp"), lab.models.catalogue.get("u2netp").preprocessing
    name, furthest = style.session(path).get_inputs()[0].name, 0.0
    with lab.stage("matte") as stage:
        for image in map(_small, lab.sample_photos[:6]):
            small = cv2.resize(image.rgb(), spec.size).astype(np.float32) / 255
            planes = ((small - spec.mean) / spec.std).transpose(2, 0, 1)[None].astype(np.float32)
            plane = style.run(path, **{name: planes})[0, 0]
            plane = cv2.resize((plane - plane.min()) / (plane.max() - plane.min()), (image.width, image.height))
            furthest = max(furthest, float(np.abs(stage.run([image])[0].alpha - plane).max()))
    on = "6 sample photos, of 0 to 1"
    yield Finding("matte", "U²-Netp: furthest from the bare network", furthest, most=0.01, on=on)


def _small(image: Image) -> Image:
    ratio = SMALL / max(image.width, image.height)
    size = round(image.width * ratio), round(image.height * ratio)
    return Image(cv2.resize(image.bgr(), size, interpolation=cv2.INTER_AREA))


def faces(lab: Lab) -> Iterator[Finding]:
    """CenterFace as its own demo calls OpenCV."""
    net = cv2.dnn.readNetFromONNX(str(lab.models.file("centerface")))
    count, other, furthest = 0, 0, 0.0
    with lab.stage("detect", weights="centerface", min_score=0.5, iou=0.3) as stage:
        for image in [*lab.sample_photos, *lab.photos[30 : 30 + FACES]]:
            (found,), wanted = stage.run([image]), faces_by_hand(net, image)
            other += len(found) != len(wanted)
            if len(found) == len(wanted) > 0:
                count += len(wanted)
                furthest = max(furthest, float(np.abs(found.xyxy - wanted).max()))
    on = f"sample photos and {FACES} of COCO128, {count} faces"
    yield Finding("detect", "CenterFace: photos with other faces than OpenCV's own call", other, most=0, on=on)
    yield Finding("detect", "CenterFace: furthest a box's edge lies from there", furthest, "px", most=0.1, on=on)


def faces_by_hand(net: Any, image: Image) -> np.ndarray:
    """Boxes (N, 4), best first."""
    wide, high = (-(-side // 32) * 32 for side in (image.width, image.height))
    net.setInput(cv2.dnn.blobFromImage(image.bgr(), 1.0, (wide, high), swapRB=True))
    heat, scale, offset, _ = net.forward(["537", "538", "539", "540"])
    ys, xs = np.where(heat[0, 0] >= 0.5)
    tall, broad = np.exp(scale[0][:, ys, xs]) * 4
    left, top = (xs + offset[0, 1, ys, xs] + 0.5) * 4 - broad / 2, (ys + offset[0, 0, ys, xs] + 0.5) * 4 - tall / 2
    rows = np.stack([left, top, broad, tall], axis=1).astype(float)
    kept = cv2.dnn.NMSBoxes(rows.tolist(), heat[0, 0, ys, xs].tolist(), 0.5, 0.3)
    boxes = np.concatenate([rows[:, :2], rows[:, :2] + rows[:, 2:]], axis=1)[np.asarray(kept, int)]
    boxes *= [image.width / wide, image.height / high] * 2
    return np.clip(boxes, 0, [image.width, image.height] * 2)


def yolo(lab: Lab) -> Iterator[Finding]:
    """Masks and key points beside Ultralytics' own predictor."""
    for weights, what in (("yolo11n-seg", "masks"), ("yolo11n-pose", "keypoints")):
        net = load_ultralytics().YOLO(str(lab.models.file(weights)))
        other, apart = 0, []
        with lab.stage("detect", weights=weights, min_score=0.4, iou=0.6) as stage:
            for image in lab.photos[30 : 30 + PHOTOS]:
                (found,) = stage.run([image])
                wanted = net.predict(image.bgr().copy(), conf=0.4, iou=0.6, imgsz=640, device="cpu", verbose=False)[0]
                other += sorted(found.class_id.tolist()) != sorted(wanted.boxes.cls.int().tolist())
                apart += list(_pairs(what, found, wanted, image))
        on = f"{PHOTOS} photos of COCO128, {len(apart)} objects"
        yield Finding(
            "detect", f"`{weights}`: photos with other objects than Ultralytics' predictor", other, most=0, on=on
        )
        if what == "masks":
            yield Finding(
                "detect", f"`{weights}`: masks' median IoU with its masks", float(np.median(apart)), least=0.95, on=on
            )
            yield Finding("detect", f"`{weights}`: masks' worst IoU with its masks", min(apart), on=on)
        else:
            what = f"`{weights}`: furthest a key point lies from its own"
            yield Finding("detect", what, max(apart), "px", most=2.5, on=on)


def _pairs(what: str, found: Detections, wanted: Any, image: Image) -> Iterator[float]:
    """For each object: the IoU of its mask, or how far the key points lie apart."""
    size = image.width, image.height
    if not len(found) or not len(wanted.boxes):
        return
    for row, match in enumerate(iou(found.xyxy, wanted.boxes.xyxy.numpy()).argmax(axis=1)):
        if what == "masks":
            canvas = np.zeros(size[::-1], np.uint8)
            cv2.fillPoly(canvas, [wanted.masks.xy[match].astype(np.int32)], (1,))
            ours = found.masks.items[row].rasterised(image.canvas)
            yield float((ours & (canvas > 0)).sum() / max(1, (ours | (canvas > 0)).sum()))
        else:
            ours = np.clip(found.keypoints[row, :, :2], 0, size)  # theirs are cut off
            yield float(np.linalg.norm(ours - wanted.keypoints.xy[match].numpy(), axis=1).max())


def read(lab: Lab) -> Iterator[Finding]:
    """Codes as a camera sees them: tilted, blurred, with noise."""
    one, goods = cv2.QRCodeDetector(), cv2.barcode.BarcodeDetector()
    calls = {
        "read.qr": (codes.qr, lambda pixels: one.detectAndDecode(pixels)[0]),
        "read.barcode": (codes.ean13, lambda pixels: goods.detectAndDecode(pixels)[0]),
    }
    for name, (draw, by_hand) in calls.items():
        made = [codes.photographed(draw, seed) for seed in range(CODES)]
        with lab.stage(name) as stage:
            ours = sum(text in stage.run(Image(pixels, "gray")).columns["text"].tolist() for pixels, text in made)
        library = sum(by_hand(pixels) == text for pixels, text in made)
        on = f"{CODES} codes, tilted, blurred, with noise; library: `detectAndDecode`"
        yield Finding("read", f"`{name}`: share read", ours / CODES, library=library / CODES, on=on)


def followed(lab: Lab) -> Iterator[Finding]:
    """Everybody in the walk, from the first frame on which they are seen whole until something hides them."""
    rows = np.loadtxt(lab.samples / "walk.mot.txt", delimiter=",")
    with av.open(str(lab.samples / "walk.mp4")) as film:
        images = [Image(frame.to_ndarray(format="bgr24")) for frame in film.decode(video=0)]
    overlaps: list[float] = []
    people = np.unique(rows[:, 1])
    for person in people:
        overlaps += _one_followed(lab, images, rows[rows[:, 1] == person])
    on = f"{len(people)} walkers of walk.mp4, a dog among them, {len(overlaps)} boxes of its exact ground truth"
    yield Finding("track", "`track.object`: median IoU", float(np.median(overlaps)), on=on)
    share = float(np.mean(np.array(overlaps) >= 0.5))
    yield Finding("track", "`track.object`: boxes with IoU ≥ 0.5", share, on=on)


def _one_followed(lab: Lab, images: list[Image], rows: np.ndarray) -> Iterator[float]:
    whole = np.flatnonzero(rows[:, 8] == 1)
    if not len(whole):
        return
    begun = rows[whole[0] :]
    hidden = np.flatnonzero(begun[:, 8] < 0.5)
    begun = begun[: hidden[0] if len(hidden) else len(begun)]
    boxes = np.concatenate([begun[:, 2:4], begun[:, 2:4] + begun[:, 4:6]], axis=1)
    with lab.stage("track.object", box=tuple(boxes[0])) as stage:
        for number, box in zip(begun[:, 0].astype(int), boxes, strict=True):
            found = stage.run(images[number - 1], None)
            yield float(iou(found.xyxy, box[None])[0, 0]) if len(found) else 0.0
