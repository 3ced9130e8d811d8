"""The composition root: a pipeline, loaded, run on inputs. The command line and the live page stand on it."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import field, replace
from pathlib import Path
from queue import Queue
from typing import TYPE_CHECKING, Any, Self

from visionkit.data import ABSENT, Annotated, Detections, Failure, Image, Packet
from visionkit.errors import UsageError, VisionkitError
from visionkit.frozen import Frozen
from visionkit.job import Job
from visionkit.pipeline.compile import CompileOptions, compile_file, compile_text
from visionkit.pipeline.plan import Plan
from visionkit.resources import bundled_pipeline
from visionkit.stage.params import device_name

if TYPE_CHECKING:
    from visionkit.media.sources import SourceOptions
    from visionkit.runtime.batch import BatchOptions
    from visionkit.runtime.context import RunSettings
    from visionkit.runtime.metrics import RunSummary

__all__ = ["Job", "Pipeline", "Result"]


class Result(Frozen):
    """What a pipeline found out about one frame; shows itself in a notebook.

    Attributes:
        packet: key, pts, values by stage id, failure.
        plan: the plan that made it.

    Raises:
        VisionkitError: a value of a frame that failed is asked for; :attr:`ok` says beforehand whether it did.
    """

    packet: Packet
    plan: Plan

    def __repr__(self) -> str:
        failed = f", failed in {self.failure.stage}: {self.failure.message}" if self.failure else ""
        return f"Result({self.packet.key}: {', '.join(self.packet.values)}{failed})"

    @property
    def failure(self) -> Failure | None:
        """The stage that failed on the frame and why, None if none did."""
        return self.packet.failure

    @property
    def ok(self) -> bool:
        """False if a stage failed on the frame, or it could not be read."""
        return self.failure is None

    def __getitem__(self, id_: str) -> Any:
        """The value of a stage by its id, ``ABSENT`` if it did not run."""
        return self._values[id_]

    @property
    def _values(self) -> Mapping[str, Any]:
        if self.failure is not None:
            raise VisionkitError(f"{self.packet.key}: {self.failure.message}", code=self.failure.code)
        return self.packet.values

    @property
    def image(self) -> Image:
        """The picture to show: the last one drawn on, otherwise the last one made."""
        shown = [v for v in self._values.values() if isinstance(v, Image)]
        drawn = [v for v in shown if isinstance(v, Annotated)]
        return (drawn or shown)[-1]

    @property
    def detections(self) -> Detections:
        """The last objects found, in source-frame pixels where they have a place there."""
        found = [v for v in self._values.values() if isinstance(v, Detections)]
        if not found:
            return Detections.empty(self.image.canvas)
        return found[-1] if found[-1].canvas.to_frame is None else found[-1].lifted()

    def to_dict(self) -> dict[str, Any]:
        """Everything but the pixels, ready for JSON."""
        rows: dict[str, Any] = {"source": self.packet.key.source, "index": self.packet.key.index}
        for id_, value in self.packet.values.items():
            if value is ABSENT or isinstance(value, Image):
                continue
            rows[id_] = value.to_dicts() if isinstance(value, Detections) else value.to_dict()
        return rows

    def _repr_png_(self) -> bytes:
        return self.image._repr_png_()


class Pipeline(Frozen):
    """A compiled pipeline.

    >>> pipeline = Pipeline.load("pipelines/detect.yaml", min_score=0.4)
    >>> for result in pipeline.run("street.jpg"):
    ...     print(result.detections.class_name)
    """

    plan: Plan
    settings: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def load(cls, path: str | Path, *, allow_code: bool = False, **variables: Any) -> Self:
        """Compile a pipeline file, or a bundled pipeline by its name; keyword arguments are its variables.

        Raises:
            PipelineError: everything wrong in the file, with positions.
        """
        found = path if Path(path).exists() else bundled_pipeline(str(path)) or path
        return cls(compile_file(found, CompileOptions(variables, allow_code)))

    @classmethod
    def from_text(cls, text: str, *, allow_code: bool = False, file: str = "<text>", **variables: Any) -> Self:
        """Compile a pipeline written as YAML text."""
        return cls(compile_text(text, file, CompileOptions(variables, allow_code)))

    def with_settings(self, **settings: Any) -> Self:
        """A copy that runs with other :class:`RunSettings`: ``device="cuda"``, ``batch=8``, ``workers=4``.

        Raises:
            UsageError: there is no such device.
        """
        try:
            device_name(settings.get("device", "auto"))
        except ValueError as error:
            raise UsageError(f"device {error}") from None
        return replace(self, settings={**self.settings, **settings})

    def run(self, *inputs: Any, options: SourceOptions | None = None) -> Iterator[Result]:
        """Run on pictures, folders, videos, cameras or arrays (H, W, 3) BGR uint8; iterate over the results.

        Results come in order while later frames are worked on; leaving the loop early ends the run. The file's
        ``outputs`` are not written: that is :meth:`write`.
        """
        _refuse_lists(inputs)
        queue: Queue[Packet | None] = Queue(maxsize=8)
        job = Job(self.plan, self._run_settings(), on_packet=queue.put)
        failure: list[BaseException] = []

        def work() -> None:
            try:
                job.run(inputs, options=options, outputs=False)
            except BaseException as error:  # noqa: BLE001  raised where the results are read
                failure.append(error)
            finally:
                queue.put(None)

        thread = threading.Thread(target=work, name="visionkit:run", daemon=True)
        thread.start()
        try:
            while (packet := queue.get()) is not None:
                yield Result(packet, self.plan)
            thread.join()
        finally:
            job.stop()
            while thread.is_alive():  # let the last packets through so that the run can end
                if not queue.empty():
                    queue.get_nowait()
                thread.join(0.01)
        if failure:
            raise failure[0]

    def write(
        self,
        *inputs: Any,
        out: str | Path = "out",
        overwrite: bool = False,
        options: SourceOptions | None = None,
        batch: BatchOptions | None = None,
    ) -> RunSummary:
        """Run on inputs and write the file's outputs below ``out``, a folder or ``s3://bucket/folder``.

        ``batch`` is how a run on files is done.

        Raises:
            VisionkitError: an output exists already, or cannot be written.
        """
        from visionkit.media.remote.target import target

        _refuse_lists(inputs)
        to = target(str(out))
        to.check(overwrite)
        job = Job(self.plan, self._run_settings())
        try:
            return job.run(inputs, out=to.folder, overwrite=overwrite, options=options, batch=batch)
        finally:
            to.send()

    def _run_settings(self) -> RunSettings:
        from visionkit.runtime.context import RunSettings

        return RunSettings.of(self.plan, **self.settings)


def _refuse_lists(inputs: Iterable[Any]) -> None:
    """Raises UsageError for a list of paths: it would be taken for an array."""
    for item in inputs:
        if isinstance(item, (list, tuple)) and any(isinstance(part, (str, Path)) for part in item):
            raise UsageError("an input is a list of paths", help="give them one by one: run(*paths)")
