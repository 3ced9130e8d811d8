"""From a folder of pictures to an entry of the user's own catalogue, with its scores beside it."""

from __future__ import annotations

import json
import logging
import tempfile
import time
from collections import Counter
from pathlib import Path

from visionkit.backends import Settings, load_model
from visionkit.backends.torchnet import TorchModel
from visionkit.errors import UsageError
from visionkit.frozen import Frozen
from visionkit.media.sinks.confusion import Confusion, write_csv, write_svg
from visionkit.media.sources.kinds import PICTURES
from visionkit.runtime.context import choose_device
from visionkit.train.classifier import Album, Learned, read_album, teach
from visionkit.train.export import save_half
from visionkit.train.loop import Schedule
from visionkit.weights import Catalogue, Store
from visionkit.weights.importing import import_file

log = logging.getLogger(__name__)


class Wish(Frozen):
    """What to make.

    Attributes:
        name: of the new entry.
        weights: the entry to start from.
        whole: every layer learns, not the last one alone.
        steps: None: twelve passes over the pictures for the last layer, six for the whole network, 100 at least.
        seed: of the new layer and the order of the pictures.
        device: "auto", "cpu", "cuda".
    """

    name: str
    weights: str = "mobilenet_v2"
    whole: bool = False
    steps: int | None = None
    seed: int = 0
    device: str = "auto"

    def schedule(self, pictures: int) -> Schedule:
        """How long and how fast for so many pictures."""
        passes, rate = (6, 3e-4) if self.whole else (12, 3e-3)
        return Schedule(self.steps or max(100, passes * pictures // 32), min(32, pictures), rate)


class Report(Frozen):
    """What came of it.

    Attributes:
        accuracy: on pictures that were not learned from.
        held_out: how many those are.
        unread: how many files are no pictures.
    """

    accuracy: float
    held_out: int
    unread: int


def train_classifier(folder: Path, wish: Wish, out: Path) -> Report:
    """Train, judge, write ``NAME.json``, ``NAME-confusion.csv`` and ``.svg`` into ``out``, add NAME to the catalogue.

    Raises:
        DataError: the folder does not hold pictures of two classes.
        UsageError: the weights are not a classifier that torch runs, or the name is taken.
        WeightsError: the weights cannot be had.
    """
    catalogue = Catalogue.load()
    entry = catalogue.get(wish.weights)
    if entry.task != "classify" or entry.loader.partition(":")[0] not in ("torchvision", "timm"):
        good = [e.name for e in catalogue.entries("classify") if e.loader.partition(":")[0] == "torchvision"]
        raise UsageError(f"{wish.weights!r} is no classifier that can learn", help=f"take one of {', '.join(good)}")
    if wish.name in catalogue:
        raise UsageError(f"the catalogue has {wish.name!r} already", help="choose another --name")
    album = read_album(folder, sorted(PICTURES))
    model = load_model(entry, Store().pull(entry), Settings(choose_device(wish.device), backend="torch"))
    assert isinstance(model, TorchModel)
    started = time.monotonic()
    schedule = wish.schedule(len(album.train))
    learned = teach(model, album, schedule, whole=wish.whole, seed=wish.seed)
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as temporary:
        path = Path(temporary) / f"{wish.name}.safetensors"
        save_half(learned.net, path, classes=json.dumps(album.classes), start=wish.weights)
        import_file(path, "classify", wish.name, list(album.classes), wish.weights, licence=entry.licence)
    _write_scores(out, wish, album, learned, time.monotonic() - started)
    return Report(learned.accuracy, len(learned.truth), len(learned.unread))


def _write_scores(out: Path, wish: Wish, album: Album, learned: Learned, seconds: float) -> None:
    names = album.classes
    pairs = zip(learned.truth, learned.found, strict=True)
    matrix = Confusion(Counter((names[truth], names[found]) for truth, found in pairs))
    write_csv(matrix, out / f"{wish.name}-confusion.csv")
    write_svg(matrix, out / f"{wish.name}-confusion.svg")
    report = {
        "name": wish.name,
        "start": wish.weights,
        "layers": "all" if wish.whole else "the last",
        "seed": wish.seed,
        "pictures": {"train": len(album.train), "held_out": len(learned.truth)},
        "accuracy": learned.accuracy,
        "recall": {name: matrix.recall(name) for name in names},
        "precision": {name: matrix.precision(name) for name in names},
        "losses": [round(loss, 4) for loss in learned.losses],
        "seconds": round(seconds),
        "unread": [str(path) for path in learned.unread],
    }
    (out / f"{wish.name}.json").write_text(json.dumps(report, indent=1) + "\n", "utf-8")
    log.info("%s: accuracy %.3f", wish.name, learned.accuracy)
