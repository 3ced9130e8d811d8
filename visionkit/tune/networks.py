"""The networks of a pipeline: which backends run them, and what was measured of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from statistics import median
from time import monotonic, perf_counter
from typing import TYPE_CHECKING, Any

from visionkit.backends import Model, Settings, fit_batch, load_model
from visionkit.backends.choice import OWN, Choice, remember
from visionkit.backends.int8 import Verdict, settle
from visionkit.backends.loaders import can_run
from visionkit.backends.model import preprocessing_of
from visionkit.data import Image
from visionkit.data.device import finish, is_gpu
from visionkit.errors import MissingExtraError, UsageError, WeightsError
from visionkit.lazy import np
from visionkit.pipeline.plan import Plan, StageNode
from visionkit.tune.quality import Labelled, labelled, mean_precision
from visionkit.weights import Catalogue, Entry, Store

if TYPE_CHECKING:
    from collections.abc import Callable

    from visionkit.weights.entry import Preprocessing

MOST_PICTURES = 256
"""Of the user's pictures half calibrate, half check."""
BACKENDS = ("openvino", "onnxruntime", "cv2")
GPU_BACKENDS = ("graphs", "tensorrt")
GPU_PRECISIONS = ("fp32", "fp16")
GPU_BATCH = 16
TURNS, LEAST_TURNS = 8, 3
CALLS = 2
"""Of each thread in a turn."""


def _called(model: Model, batch: Any, pool: ThreadPoolExecutor) -> float:
    """Seconds a call, of as many at a time as the network is set up for."""
    finish(model.device)
    begun, count = perf_counter(), CALLS * model.streams
    for _ in pool.map(_call, [model] * count, [batch] * count):
        pass
    return (perf_counter() - begun) / count


def _call(model: Model, batch: Any) -> None:
    """On a GPU what comes out stays there."""
    if is_gpu(model.device):
        model.forward(batch)  # type: ignore[attr-defined]  # all that run on a GPU have it
        finish(model.device)
    else:
        model.infer(batch)


@dataclass
class Networks:
    """Of a plan, by the name in the catalogue.

    Attributes:
        size: width and height of the pictures to measure with.
        cores: of a CPU; each runs a call of its own, as in a run.
        budget: seconds after which no further backend is compared.
        reasons: why a backend or a precision is not among those to choose from.
        chosen: what ``backend: auto`` means for each network from now on.
    """

    plan: Plan
    store: Store
    device: str
    size: tuple[int, int]
    say: Callable[[str], None]
    budget: float = 60.0
    cores: int = 1
    reasons: list[str] = field(default_factory=list)
    chosen: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        catalogue, self._until = Catalogue.load(), 0.0
        self.entries: dict[str, Entry] = {}
        for node in self.plan.walk():
            name = getattr(node.params, "weights", "") if isinstance(node, StageNode) else ""
            if isinstance(node, StageNode) and node.kind == "batch" and name and name in catalogue:
                self.entries[name] = catalogue.get(name)

    def measure(self) -> bool:
        """Settles what ``backend: auto`` means for each network; networks are converted on the way.

        Returns:
            True if any has a choice: another backend runs it and agrees with its own.
        """
        self._until = monotonic() + self.budget
        precisions = GPU_PRECISIONS if is_gpu(self.device) else ("fp32",)
        return sum(self._measured(entry, one) for entry in self.entries.values() for one in precisions) > 0

    def _measured(self, entry: Entry, precision: str) -> bool:
        settings = Settings(self.device, precision, OWN, trust=self.store.trust).side_by_side(self.cores, self.cores)
        try:
            files = self.store.pull(entry)
            own = load_model(entry, files, settings)
        except (MissingExtraError, WeightsError) as error:
            self.reasons.append(f"{entry.name}: {error.message}")
            return False
        others = {name: self._other(entry, files, own, replace(settings, backend=name)) for name in self._backends()}
        if self.device == "cpu" and can_run(entry, "compile"):
            self.reasons.append(f"{entry.name}: compile was not tried, it takes minutes: run --backend compile")
        models = {OWN: own, **{name: model for name, model in others.items() if model is not None}}
        if len(models) > 1:
            self._choose(entry, models, precision)
        return len(models) > 1

    def _backends(self) -> tuple[str, ...]:
        return GPU_BACKENDS if is_gpu(self.device) else BACKENDS if self.device == "cpu" else ()

    def _other(self, entry: Entry, files: tuple[Path, ...], own: Model, settings: Settings) -> Model | None:
        """The network in another backend; None where that does not run it or does not agree."""
        backend = settings.backend
        if own.backend.partition(".")[0] == backend:
            return None
        if reason := self._objection(entry, backend):
            self.reasons.append(f"{entry.name}: {backend} {reason}")
            return None
        self.say(f"{entry.name}: {backend} is compared with {own.backend} ...")
        try:
            model = load_model(entry, files, settings)
        except (MissingExtraError, WeightsError) as error:
            self.reasons.append(f"{entry.name}: {error.message}")
            return None
        self.reasons += [model.note] if model.note else []
        return model if model.backend.partition(".")[0] == backend else None

    def _objection(self, entry: Entry, backend: str) -> str:
        if not can_run(entry, backend):
            return f"does not run what {entry.loader.partition(':')[0]} loads"
        return f"was not compared, {self.budget:g} seconds were over" if monotonic() > self._until else ""

    def _choose(self, entry: Entry, models: Mapping[str, Model], precision: str) -> None:
        """Measures the bare networks in turn, and keeps the verdict for ``backend: auto``."""
        took = self._rates(preprocessing_of(entry), models)
        choice = Choice({name: median(ms) for name, ms in took.items()}, self.size, date.today().isoformat())
        remember(entry, self.device, choice, precision)
        of = "" if precision == "fp32" else f" in {precision}"
        self.chosen.append(f"{entry.name}: backend auto is {choice.backend}{of} from now on ({choice.reason})")
        for model in models.values():
            model.close()

    def _rates(self, spec: Preprocessing, models: Mapping[str, Model]) -> dict[str, list[float]]:
        """Milliseconds a picture, of every turn; a few turns at least, more while there is time."""
        pixels = np.random.default_rng(0).integers(0, 256, (self.size[1], self.size[0], 3), dtype=np.uint8)
        images = [Image(pixels)] * (GPU_BATCH if is_gpu(self.device) else 1)
        took: dict[str, list[float]] = {name: [] for name in models}
        with ExitStack() as stack:
            pools = {name: stack.enter_context(ThreadPoolExecutor(model.streams)) for name, model in models.items()}
            for turn in range(-1, TURNS):  # the first compiles and warms
                if turn >= LEAST_TURNS and monotonic() > self._until:
                    break
                for name, model in models.items():
                    ((_, _, batch),) = fit_batch(images, spec, device=model.device)
                    took[name] += [_called(model, batch, pools[name]) * 1000 / len(images)][: turn >= 0]
        return took

    def calibrate(self, folder: Path) -> bool:
        """Makes int8 networks of the detectors from half the pictures and checks them on the other half.

        Returns:
            True if at least one is good enough.

        Raises:
            UsageError: there are too few pictures, or no labels.
        """
        pictures = labelled(folder, MOST_PICTURES)
        if len(pictures) < 8:
            raise UsageError(
                f"{folder}: {len(pictures)} pictures are too few to calibrate with and check", help="give 50 or more"
            )
        accepted = False
        for entry in self.entries.values():
            if entry.task != "detect":
                self.reasons.append(f"{entry.name}: int8 is checked for detectors only, this is for {entry.task}")
                continue
            self.say(
                f"{entry.name}: calibrated with {len(pictures[::2])} pictures, checked on {len(pictures[1::2])} ..."
            )
            accepted |= self._calibrated(entry, pictures)
        return accepted

    def _calibrated(self, entry: Entry, pictures: Sequence[Labelled]) -> bool:
        from visionkit.backends.openvino import make_int8

        files = self.store.pull(entry)
        try:
            model, note = make_int8(entry, files, [one.image() for one in pictures[::2]])
        except (MissingExtraError, WeightsError) as error:
            self.reasons.append(f"{entry.name}: int8: {error.message}")
            return False
        full = load_model(entry, files, Settings(self.device, backend="openvino", trust=self.store.trust))
        checked = pictures[1::2]
        verdict = Verdict(mean_precision(full, checked), mean_precision(model, checked), len(checked))
        settle(note, verdict)
        self.reasons.append(f"{entry.name}: {verdict.text}")
        return verdict.accepted
