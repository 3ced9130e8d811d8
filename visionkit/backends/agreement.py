"""Another backend runs a network only once it was found to give what the network's own backend gives, on real photos.

The verdict is kept in the cache, under the hash of the weights and the versions of all that took part. A backend that
does not agree is refused with the difference, and the network's own runs it.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path
from typing import Any

from visionkit.backends.choice import version_of
from visionkit.backends.model import Model
from visionkit.backends.preprocess import fit
from visionkit.data import Image
from visionkit.errors import MissingExtraError, UsageError, WeightsError
from visionkit.frozen import Frozen
from visionkit.lazy import cv2, np
from visionkit.resources import resource_dir
from visionkit.weights.entry import Entry

TOLERANCE = 1e-3
"""Largest difference of an output, relative to the largest value in it, that counts as agreement."""
PHOTOS = 2

log = logging.getLogger(__name__)


class Verdict(Frozen):
    """What was found when a backend was compared with a network's own.

    Attributes:
        weights: the name of the entry, for whoever reads the cache.
        output: how the outputs are read, see :class:`Model`.
        refused: why it is not used, in words that follow the backend's name; "" if it is.
        difference: see :func:`difference`; None if it could not be taken.
    """

    weights: str
    output: str
    refused: str = ""
    difference: float | None = None


def settled(note: Path, examine: Callable[[], Verdict], needs: Path | None = None) -> Verdict:
    """The verdict in the file ``note``; if there is none, or what it was on (``needs``) is gone, the one found now."""
    known = _read(note)
    if known is not None and (known.refused or needs is None or needs.exists()):
        return known
    found = examine()
    try:
        note.parent.mkdir(parents=True, exist_ok=True)
        note.write_text(json.dumps(asdict(found)), "utf-8")
    except OSError as error:  # a cache that is only read: it is measured again next time
        log.info("%s cannot be kept: %s", note, error)
    return found


def compared(
    own: Model,
    build: Callable[[], Model],
    pictures: Callable[[], Iterator[Image]] | None = None,
    tolerance: float = TOLERANCE,
) -> Verdict:
    """Whether what ``build`` makes gives what ``own`` gives on ``pictures``, by default :func:`photos`.

    Raises:
        MissingExtraError: a package it needs is not installed.
        OSError: the disk is full or cannot be written.
    """
    try:
        gap = difference(build(), own, (pictures or photos)())
    except (MissingExtraError, OSError):
        raise
    except Exception as error:  # noqa: BLE001  # the engines' errors have nothing in common
        text = (str(error).strip() or type(error).__name__).splitlines()
        return Verdict(own.entry.name, own.output, f"cannot run it ({text[-1][:200]})")
    refused = "" if gap <= tolerance else f"differs by {gap:.2g} of the largest output"
    return Verdict(own.entry.name, own.output, refused, gap)


def stand_in(own: Model, backend: str, reason: str) -> Model:
    """``own`` with a note on why it is not ``backend`` that runs the network."""
    own.note = f"{own.entry.name}: {backend} {reason}: {own.backend} runs it"
    log.warning(own.note)
    return own


def key(entry: Entry, packages: Sequence[str], *facts: Any) -> str:
    """Of the weights, how they are built and fed, ``facts``, and the versions of the packages that take part."""
    known = [entry.digest, entry.loader, str(entry.settings), str(entry.preprocessing), *facts]
    return sha256(json.dumps([*known, *map(version_of, packages)]).encode()).hexdigest()[:16]


def difference(model: Model, reference: Model, pictures: Iterator[Image]) -> float:
    """The largest difference of any output on any picture, as a share of the largest value of that output.

    What is no number is infinitely far away.

    Raises:
        WeightsError: the outputs differ in number or shape.
    """
    worst = 0.0
    for picture in pictures:
        batch = fit(picture, model.spec).pixels[None]
        ours, theirs = model.infer(batch), reference.infer(batch)
        if [out.shape for out in ours] != [out.shape for out in theirs]:
            shapes = f"{[out.shape for out in ours]} and {[out.shape for out in theirs]}"
            raise WeightsError(f"{model.entry.name}: {model.backend} gives other outputs than the reference: {shapes}")
        for a, b in zip(ours, theirs, strict=True):
            scale = max(float(np.abs(b).max(initial=0)), 1e-6)
            gap = float(np.abs(a.astype(np.float64) - b).max(initial=0)) / scale
            worst = max(worst, gap if gap == gap else float("inf"))
    return worst


def photos() -> Iterator[Image]:
    """Real photos: the first of those that visionkit ships; where they are missing, drawn ones."""
    try:
        paths = sorted((resource_dir("samples") / "photos").glob("*.jpg"))[:PHOTOS]
    except UsageError:
        paths = []
    for path in paths:
        yield Image(np.asarray(cv2.imread(str(path), cv2.IMREAD_COLOR)))
    for seed in range(PHOTOS - len(paths)):
        small = np.random.default_rng(seed).integers(0, 256, (12, 16, 3), dtype=np.uint8)
        yield Image(cv2.resize(small, (640, 480), interpolation=cv2.INTER_CUBIC))


def _read(note: Path) -> Verdict | None:
    try:
        found = json.loads(note.read_text("utf-8"))
        refused, gap = str(found.get("refused", "")), found.get("difference")
        if not refused and gap is None:
            return None
        return Verdict(str(found["weights"]), str(found["output"]), refused, None if gap is None else float(gap))
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return None
