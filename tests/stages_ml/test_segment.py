"""``segment`` and ``matte`` against their libraries, and what is done with masks."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.fresh import awake
from visionkit.backends import Settings, load_model
from visionkit.data import Canvas, Detections, Image, Masks, Matte, SemanticMask
from visionkit.errors import UsageError, VisionkitError, WeightsError
from visionkit.lazy import cv2
from visionkit.stages.segment.background_blur import BackgroundBlur, BackgroundBlurParams
from visionkit.stages.segment.background_replace import BackgroundReplace, BackgroundReplaceParams
from visionkit.stages.segment.flatten import Flatten, FlattenParams
from visionkit.stages.segment.matte import MatteParams, MatteStage
from visionkit.stages.segment.objects import SegmentObjects, SegmentObjectsParams
from visionkit.stages.segment.polygons import Polygons, PolygonsParams
from visionkit.stages.segment.segment import Segment, SegmentParams
from visionkit.weights import Catalogue, Entry, FileSpec, Preprocessing, Source

FRAME = Canvas.source(320, 240)


def saved(net: Any, path: Path) -> Path:
    import torch

    torch.save(net.state_dict(), path)
    return path


def segmenter(path: Path, loader: str, spec: Preprocessing, classes, settings=None, **params) -> Segment:
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    file = FileSpec(name=path.name, size=path.stat().st_size, sha256=digest, sources=(Source(bundled=path.name),))
    entry = Entry(
        name="mine",
        task="segment",
        architecture="a test",
        licence="none",
        loader=loader,
        files=(file,),
        preprocessing=spec,
        classes=classes,
        settings=settings or {},
        folder=path.parent,
    )
    model = load_model(entry, (path,), Settings())

    class Context:
        def model(self, name: str, task: str) -> Any:
            return model

    stage = Segment(SegmentParams(**params))
    stage.open(Context())
    return stage


@pytest.mark.parametrize("name", ["lraspp_mobilenet_v3_large", "deeplabv3_mobilenet_v3_large"])
def test_torchvision_equals_the_network_called_by_hand(tmp_path, photos, name) -> None:
    torch = pytest.importorskip("torch")
    torchvision = pytest.importorskip("torchvision")
    from PIL import Image as Pillow

    torch.manual_seed(1)
    shipped = Catalogue.load().get(name)
    build = shipped.settings.get("build", {})
    net = torchvision.models.get_model(name, weights=None, weights_backbone=None, num_classes=4, **build)
    deep = name.startswith("deeplab")
    if deep:
        awake(net, np.stack([cv2.resize(image.rgb(), (160, 128)) for image in photos[:4]]))
    spec = shipped.preprocessing.model_copy(update={"resize": 130})
    prepare = torchvision.transforms._presets.SemanticSegmentation(resize_size=130)
    with torch.inference_mode():  # a fresh network prefers one class everywhere: take that away
        first = net.eval()(prepare(Pillow.fromarray(photos[0].rgb()))[None])["out"][0]
    last = net.classifier[-1] if deep else net.classifier.low_classifier
    last.bias.data -= first.mean(dim=(1, 2))
    if deep:  # and is too sure
        spread = first.std(dim=(1, 2))
        last.weight.data /= spread[:, None, None, None]
        last.bias.data /= spread
    path = saved(net, tmp_path / "net.pth")
    names = ("background", "a", "b", "c")
    stage = segmenter(path, f"torchvision:{name}", spec, names, shipped.settings)
    seen: set[int] = set()
    for image in photos[:3]:
        with torch.inference_mode():
            logits = net(prepare(Pillow.fromarray(image.rgb()))[None])["out"][0]
        (mask,) = stage.run([image])
        small = cv2.resize(mask.ids, logits.shape[:0:-1], interpolation=cv2.INTER_NEAREST)
        wanted = logits.argmax(0).numpy()
        second, first = logits.softmax(0).sort(dim=0).values[-2:].numpy()
        clear = first - second > np.median(first - second)
        assert (small == wanted)[clear].mean() > 0.995, "apart from the borders"
        seen |= set(wanted[clear].tolist())
        sure = logits.softmax(0).max(0).values.numpy()
        np.testing.assert_allclose(cv2.resize(mask.score, logits.shape[:0:-1]), sure, atol=0.1)
    assert len(seen) > 1


def test_unet_of_the_library_and_batches(tmp_path, photos) -> None:
    smp = pytest.importorskip("segmentation_models_pytorch")
    import torch

    torch.manual_seed(0)
    net = smp.Unet("mobilenet_v2", encoder_weights=None, classes=1).eval()
    path = saved(net, tmp_path / "unet.pth")
    spec = Preprocessing(size=(160, 160), fit="letterbox", stride=32, pad_value=0)
    build = {"build": {"encoder_name": "mobilenet_v2", "classes": 1}}
    stage = segmenter(path, "smp:Unet", spec, ("background", "cell"), build, threshold=0.5)
    images = [*photos[:4], Image(photos[0].gray(), "gray"), Image(np.zeros((1, 1, 3), np.uint8))]
    for image, together in zip(images, stage.run(images), strict=True):
        (alone,) = stage.run([image])
        assert together.canvas is image.canvas
        assert (alone.ids != together.ids).mean() < 1e-4, "apart from pixels on the threshold"
        assert together.score.min() >= 0.5
    pixels = cv2.resize(photos[0].rgb(), (160, round(160 * photos[0].height / photos[0].width)))
    full = np.zeros((-(-pixels.shape[0] // 32) * 32, 160, 3), np.uint8)
    top = (full.shape[0] - pixels.shape[0]) // 2
    full[top : top + pixels.shape[0]] = pixels
    with torch.inference_mode():
        wanted = net(torch.from_numpy(full).permute(2, 0, 1)[None] / 255)[0, 0].sigmoid().numpy()
    inside = cv2.resize(wanted[top : top + pixels.shape[0]], (photos[0].width, photos[0].height)) >= 0.5
    assert (stage.run([photos[0]])[0].ids.astype(bool) == inside).mean() > 0.98


class Given:
    """A network whose output is given: planes (C, 4, 4)."""

    device = "cpu"

    def __init__(self, planes: np.ndarray, classes: tuple[str, ...]) -> None:
        spec = Preprocessing(size=(4, 4))
        self.entry = Catalogue.load().get("lraspp_mobilenet_v3_large")
        self.entry = self.entry.model_copy(update={"classes": classes, "preprocessing": spec})
        self.spec, self.planes = spec, np.asarray(planes, np.float32)

    def infer(self, batch: np.ndarray) -> tuple[np.ndarray, ...]:
        return (np.repeat(self.planes[None], len(batch), 0),)

    def model(self, name: str, task: str) -> Any:
        return self


def test_classes_scores_and_what_becomes_background() -> None:
    planes = np.zeros((3, 4, 4))
    planes[1, :, 2:], planes[2, 2:, :2] = 4.0, 0.5
    image = Image(np.zeros((240, 320, 3), np.uint8))

    def run(**params) -> SemanticMask:
        stage = Segment(SegmentParams(**params))
        stage.open(Given(planes, ("background", "cat", "dog")))
        return stage.run([image])[0]

    everything = run()
    assert everything.ids[20, 300] == 1
    assert everything.ids[220, 20] == 2
    assert everything.ids[20, 20] == 0
    assert everything.score[20, 300] == pytest.approx(np.exp(4) / (np.exp(4) + 2), abs=1e-4)
    assert set(np.unique(run(classes=("cat",)).ids)) == {0, 1}
    assert set(np.unique(run(min_score=0.6).ids)) == {0, 1}
    with pytest.raises(VisionkitError, match="'cow' is not a class"):
        run(classes=("cow",))


def test_matte_is_the_networks_own(opened, models, photos) -> None:
    import onnxruntime

    stage = opened(MatteStage(MatteParams()))
    session = onnxruntime.InferenceSession(str(models.file("u2netp")))
    for image in photos[1:3]:
        small = cv2.resize(image.rgb(), (320, 320)).astype(np.float32) / 255
        feed = ((small - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]).transpose(2, 0, 1)[None].astype(np.float32)
        plane = session.run(None, {session.get_inputs()[0].name: feed})[0][0, 0]
        wanted = cv2.resize((plane - plane.min()) / (plane.max() - plane.min()), (image.width, image.height))
        (matte,) = stage.run([image])
        assert np.abs(matte.alpha - wanted).mean() < 0.002
        assert 0.02 < matte.alpha.mean() < 0.9
    giraffe = stage.run([photos[1]])[0].alpha
    assert giraffe[61:357, 371:598].mean() > 3 * giraffe[:, :300].mean(), "the animal is the subject"


def test_the_wrong_kind_of_network() -> None:
    catalogue = Catalogue.load()
    ((name, message, help_),) = Segment.check(SegmentParams(weights="u2netp"), catalogue)
    assert (name, help_) == ("weights", "the stage matte runs it")
    assert "matte" in message
    assert MatteStage.check(MatteParams(weights="lraspp_mobilenet_v3_large"), catalogue)
    assert Segment.check(SegmentParams(weights="yolo11n"), catalogue)
    assert Segment.check(SegmentParams(classes=("persn",)), catalogue)[0][2].startswith("did you mean 'person'")
    assert not Segment.check(SegmentParams(classes=("person",)), catalogue)

    class Wrong:
        def model(self, name: str, task: str) -> Any:
            return Given(np.zeros((2, 4, 4)), ("a", "b"))

    with pytest.raises(WeightsError, match="gives classes, not a matte"):
        MatteStage(MatteParams()).open(Wrong())


def subject() -> tuple[Image, Matte]:
    pixels = np.random.default_rng(0).integers(0, 255, (240, 320, 3), dtype=np.uint8)
    alpha = np.zeros((240, 320), np.float32)
    alpha[60:180, 100:200] = 1
    return Image(pixels), Matte(FRAME, alpha)


def test_background_blur_and_replace() -> None:
    image, matte = subject()
    image = Image(image.bgr().copy(), canvas=FRAME)
    inside = matte.alpha > 0
    blurred = BackgroundBlur(BackgroundBlurParams(size=0.1)).run(image, matte).bgr()
    np.testing.assert_array_equal(blurred[inside], image.bgr()[inside])
    assert blurred[~inside].std() < 0.3 * image.bgr()[~inside].std()
    stage = BackgroundReplace(BackgroundReplaceParams(color=[10, 20, 30]))
    stage.open(None)
    mask = SemanticMask(FRAME, inside.astype(np.uint8), ("background", "person"))
    for given in (matte, mask):
        replaced = stage.run(image, given)
        assert type(replaced) is Image
        np.testing.assert_array_equal(replaced.bgr()[inside], image.bgr()[inside])
        assert (replaced.bgr()[~inside] == [30, 20, 10]).all()


def test_the_subject_does_not_bleed_into_the_blur() -> None:
    alpha = np.zeros((240, 320), np.float32)
    alpha[60:180, 100:200] = 1
    pixels = np.full((240, 320, 3), 40, np.uint8)
    pixels[alpha > 0] = 250
    image = Image(pixels, canvas=FRAME)
    behind = BackgroundBlur(BackgroundBlurParams(size=0.2)).run(image, Matte(FRAME, alpha)).bgr()[alpha == 0]
    assert behind.max() <= 41


def test_a_picture_as_background(tmp_path) -> None:
    image, matte = subject()
    image = Image(image.bgr().copy(), canvas=FRAME)
    halves = np.zeros((100, 400, 3), np.uint8)
    halves[:, 200:] = 200
    path = tmp_path / "hintergründe.png"
    path.write_bytes(cv2.imencode(".png", halves)[1].tobytes())
    stage = BackgroundReplace(BackgroundReplaceParams(picture=path))
    stage.open(None)
    behind = stage.run(image, matte).bgr()
    assert behind[10, 10].tolist() == [0, 0, 0]
    assert behind[10, 310].tolist() == [200, 200, 200]
    path.write_bytes(b"nothing")
    for bad in (path, tmp_path / "missing.png"):
        with pytest.raises(UsageError, match=r"background\.replace"):
            BackgroundReplace(BackgroundReplaceParams(picture=bad)).open(None)


def blobs() -> SemanticMask:
    ids = np.zeros((240, 320), np.uint8)
    ids[20:60, 30:90] = 1
    ids[100:180, 200:300] = 1
    ids[200:220, 10:40] = 2
    ids[5, 5] = 2
    score = np.where(ids > 0, 0.8, 0.95).astype(np.float32)
    return SemanticMask(FRAME, ids, ("background", "cat", "dog"), score)


def test_masks_to_objects_to_polygons_and_back() -> None:
    mask = blobs()
    objects = SegmentObjects(SegmentObjectsParams(min_area=10)).run(mask)
    assert objects.class_name.tolist() == ["cat", "cat", "dog"]
    assert objects.xyxy.tolist() == [[200, 100, 300, 180], [30, 20, 90, 60], [10, 200, 40, 220]]
    assert objects.score.tolist() == pytest.approx([0.8] * 3)
    outlined = Polygons(PolygonsParams(simplify=0.5)).run(objects)
    np.testing.assert_allclose(np.sort(outlined.polygons[0], axis=0)[[0, -1]], [[200.5, 100.5], [299.5, 179.5]])
    assert len(outlined.polygons[0]) == 4
    image = Image(np.zeros((240, 320, 3), np.uint8), canvas=FRAME)
    back = Flatten(FlattenParams()).run(objects, image)
    assert back.class_names == ("background", "background", "cat", "dog")
    wanted = np.where(mask.ids > 0, mask.ids.astype(int) + 1, 0)
    wanted[5, 5] = 0
    np.testing.assert_array_equal(back.ids, wanted)
    only = SegmentObjects(SegmentObjectsParams(classes=("dog",), min_area=1)).run(mask)
    assert len(only) == 2
    assert len(SegmentObjects(SegmentObjectsParams(min_area=10_000)).run(mask)) == 0


def test_flatten_without_masks_fills_boxes_the_best_on_top() -> None:
    image = Image(np.zeros((240, 320, 3), np.uint8), canvas=FRAME)
    two = Detections(FRAME, [[0, 0, 100, 100], [50, 50, 150, 150]], [0.9, 0.5], [0, 1], ("a", "b"))
    ids = Flatten(FlattenParams()).run(two, image).ids
    assert (ids[10, 10], ids[75, 75], ids[120, 120], ids[200, 200]) == (1, 1, 2, 0)
    assert Polygons(PolygonsParams()).run(two) is two
    empty = Detections(FRAME, [[0, 0, 9, 9]], [0.9], [0], masks=Masks.from_bitmaps([np.zeros((240, 320))], FRAME))
    assert Polygons(PolygonsParams()).run(empty).polygons[0].tolist() == [[0, 0], [9, 0], [9, 9], [0, 9]]
