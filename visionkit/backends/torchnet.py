"""Networks that torch runs: torchvision's, timm's and our own."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable, Mapping
from copy import deepcopy
from pathlib import Path
from typing import TYPE_CHECKING, Any

from visionkit.backends.model import Settings, preprocessing_of
from visionkit.data.device import fetched, sent
from visionkit.errors import WeightsError, did_you_mean
from visionkit.lazy import load, torch, torchvision
from visionkit.weights.entry import Entry
from visionkit.weights.safe import load_state_dict

if TYPE_CHECKING:
    from numpy.typing import NDArray

Call = Callable[[Any, Any], tuple[Any, ...]]
"""(module, pictures (N, C, H, W)) → output tensors."""


class TorchModel:
    """A torch module in eval mode, channels last, which is faster on CPUs and on tensor cores.

    With more than one stream every thread that calls it has a copy that shares the weights: some modules keep the grid
    of the last size.

    Args:
        entry: its entry in the catalogue.
        module: the network with its weights.
        settings: where it runs and how precisely.
        call: how pictures go in and tensors come out; by default the module is called and what it returns is flattened.
    """

    backend = "torch"
    output = ""
    note = ""

    def __init__(self, entry: Entry, module: Any, settings: Settings, call: Call | None = None) -> None:
        self.entry = entry
        self.spec = preprocessing_of(entry)
        self.device = settings.device
        self.streams = settings.streams if settings.precision == "fp32" else 1
        self._threads = settings.threads
        self._copies = threading.local()
        self._dtype = {"fp16": torch.float16, "bf16": torch.bfloat16}.get(settings.precision, torch.float32)
        module = module.eval().requires_grad_(False).to(self.device, self._dtype)
        self.module = module.to(memory_format=torch.channels_last)
        self._own_call = call is not None
        self.call = call or call_plain
        self._mean = torch.tensor(self.spec.mean, device=self.device).view(1, -1, 1, 1)
        self._std = torch.tensor(self.spec.std, device=self.device).view(1, -1, 1, 1)
        self._plain = not any(self.spec.mean) and set(self.spec.std) == {1.0}

    def infer(self, batch: Any) -> tuple[NDArray[Any], ...]:
        return fetched(self.forward(batch))

    def forward(self, batch: Any, call: Call | None = None) -> tuple[Any, ...]:
        """What :meth:`infer` gives, as tensors that stay on the device; ``call``: another than the model's own."""
        with torch.inference_mode():
            outputs = (call or self.call)(self._copy(), self.pictures(batch))
            return tuple(out.float() if out.is_floating_point() else out for out in outputs)

    def pictures(self, batch: Any) -> Any:
        """A batch, (N, H, W, C) uint8 or a tensor (N, C, H, W), as the tensor (N, C, H, W) that the network takes."""
        batch = sent(batch, self.device)
        # bytes are exact in half precision too, and one division rounds the same there
        tensor = batch.to(self._dtype if self._plain else torch.float32, memory_format=torch.channels_last)
        tensor = tensor.div_(255) if self.spec.scale == 1 / 255 else tensor.mul_(self.spec.scale)
        if not self._plain:
            tensor = tensor.sub_(self._mean).div_(self._std)
        return tensor.to(self._dtype)

    @property
    def traceable_module(self) -> Any:
        """The module as it is; None if it takes more than one tensor, or gives more the more it finds."""
        return None if self._own_call else self.module

    @property
    def traceable(self) -> Any:
        """The module in float32 on the CPU, for whoever converts it; None if it takes more than one tensor."""
        return None if self._own_call else self.module.float().cpu()

    def close(self) -> None:
        self.module = None
        self._copies = threading.local()

    def _copy(self) -> Any:
        """The module of the calling thread."""
        if self.streams == 1:
            return self.module
        found = getattr(self._copies, "module", None)
        if found is None:
            torch.set_num_threads(self._threads or 1)
            shared = {id(tensor): tensor for tensor in (*self.module.parameters(), *self.module.buffers())}
            found = self._copies.module = deepcopy(self.module, shared)
        return found


def load_torchvision(entry: Entry, files: tuple[Path, ...], settings: Settings) -> TorchModel:
    """``loader: torchvision:<name>``: any network that ``torchvision.models.get_model`` builds.

    Raises:
        WeightsError: torchvision has no such network, or the file's tensors do not fit it.
    """
    name = _what(entry)
    options: dict[str, Any] = {"num_classes": len(entry.classes)} if entry.classes else {}
    options |= entry.settings.get("build", {})
    if name not in torchvision.models.list_models():
        help_ = did_you_mean(name, torchvision.models.list_models())
        raise WeightsError(f"{entry.name}: torchvision has no network {name!r}", help=help_)
    if "weights_backbone" in load("inspect").signature(torchvision.models.get_model_builder(name)).parameters:
        options.setdefault("weights_backbone", None)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # GoogLeNet and Inception advertise how they would initialise themselves
        module = torchvision.models.get_model(name, weights=None, **options)
    for part in module.modules() if "batch_norm_eps" in entry.settings else ():
        if isinstance(part, torch.nn.BatchNorm2d):  # as torchvision's own loaders set it for some of their files
            part.eps = float(entry.settings["batch_norm_eps"])
    return _filled(entry, module, files, settings)


def load_timm(entry: Entry, files: tuple[Path, ...], settings: Settings) -> TorchModel:
    """``loader: timm:<name>``: any network that ``timm.create_model`` builds.

    Raises:
        WeightsError: timm has no such network, or the file's tensors do not fit it.
    """
    timm = load("timm")
    name = _what(entry)
    if not timm.is_model(name):
        raise WeightsError(f"{entry.name}: timm has no network {name!r}", help=did_you_mean(name, timm.list_models()))
    options = {"num_classes": len(entry.classes), **entry.settings.get("build", {})}
    return _filled(entry, timm.create_model(name, pretrained=False, **options), files, settings)


def load_smp(entry: Entry, files: tuple[Path, ...], settings: Settings) -> TorchModel:
    """``loader: smp:<Architecture>``: a network of segmentation-models-pytorch, made with ``settings.build``.

    Raises:
        WeightsError: the library has no such architecture, or the file's tensors do not fit it.
    """
    library = load("segmentation_models_pytorch")
    name = _what(entry)
    if not isinstance(getattr(library, name, None), type):
        raise WeightsError(f"{entry.name}: segmentation-models-pytorch has no architecture {name!r}")
    build = {"classes": max(1, len(entry.classes)), **entry.settings.get("build", {}), "encoder_weights": None}
    return _filled(entry, getattr(library, name)(**build), files, settings)


def load_own(entry: Entry, files: tuple[Path, ...], settings: Settings) -> TorchModel:
    """``loader: nets:<module>.<function>``: a network of :mod:`visionkit.nets`, called with ``settings.build``.

    Raises:
        WeightsError: there is no such network, or the file's tensors do not fit it.
    """
    return _filled(entry, build_own(entry), files, settings)


def build_own(entry: Entry) -> Any:
    """The network of :mod:`visionkit.nets` that ``loader: kind:<module>.<function>`` names, without weights.

    Raises:
        WeightsError: there is no such network.
    """
    module_name, _, function = _what(entry).partition(".")
    try:
        build = getattr(load(f"visionkit.nets.{module_name}"), function)
    except (ImportError, AttributeError) as error:
        raise WeightsError(f"{entry.name}: visionkit.nets has no {module_name}.{function}") from error
    return build(**entry.settings.get("build", {}))


def flat(outputs: Any) -> tuple[Any, ...]:
    """The tensors in whatever a module returned: a tensor, or dicts, lists and tuples of them, depth first."""
    if hasattr(outputs, "detach"):
        return (outputs,)
    parts = outputs.values() if hasattr(outputs, "values") else outputs
    return tuple(tensor for part in parts if part is not None for tensor in flat(part))


def call_plain(module: Any, pictures: Any) -> tuple[Any, ...]:
    """The module is called; what it returns is flattened."""
    return flat(module(pictures))


def call_detector(module: Any, pictures: Any) -> tuple[Any, ...]:
    """A torchvision detector's dicts as columns over the whole batch.

    Returns:
        picture in the batch (M,), boxes (M, 4), scores (M,), labels (M,), then masks (M, 1, H, W) or keypoints
        (M, K, 3) where the network has them.
    """
    found = module(list(pictures))
    counts = torch.tensor([len(one["boxes"]) for one in found])
    rows = torch.repeat_interleave(torch.arange(len(found)), counts)
    keys = ["boxes", "scores", "labels", *(key for key in ("masks", "keypoints") if key in found[0])]
    return (rows, *(torch.cat([one[key] for one in found]) for key in keys))


def _what(entry: Entry) -> str:
    return entry.loader.partition(":")[2]


def _filled(entry: Entry, module: Any, files: tuple[Path, ...], settings: Settings) -> TorchModel:
    return filled(entry, module, load_state_dict(files[0], trust=settings.trust), files[0], settings)


def filled(entry: Entry, module: Any, state: Mapping[str, Any], path: Path, settings: Settings) -> TorchModel:
    """A model of ``module`` with the tensors of ``state``, which were read from ``path``.

    Raises:
        WeightsError: they do not fit the network.
    """
    try:
        module.load_state_dict(state)
    except RuntimeError as error:
        raise WeightsError(f"{entry.name}: {path.name} does not fit the network: {error}") from error
    detector = hasattr(module, "transform") and hasattr(module.transform, "image_mean")
    return TorchModel(entry, module, settings, call_detector if detector else None)
