"""The composition root: a pipeline, loaded, run on inputs. The command line and the live page stand on it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from queue import Queue
from typing import TYPE_CHECKING, Any, Self

from visionkit.data import ABSENT, Annotated, Detections, Image, Packet
from visionkit.errors import UsageError
from visionkit.hub import ModelHub
from visionkit.pipeline.compile import CompileOptions, compile_file, compile_text
from visionkit.pipeline.plan import Plan

if TYPE_CHECKING:
    from visionkit.media.sources import SourceOptions
    from visionkit.runtime.batch import Batch, BatchOptions
    from visionkit.runtime.context import RunSettings
    from visionkit.runtime.engine import Engine
    from visionkit.runtime.metrics import RunSummary
    from visionkit.stage.sink import SinkContext
    from visionkit.stage.source import SourceInfo


@dataclass(frozen=True)
class Result:
    """What a pipeline found out about one frame; shows itself in a notebook.

    Attributes:
        packet: key, pts, values by stage id, failure.
        plan: the plan that made it.
    """

    packet: Packet
    plan: Plan

    def __getitem__(self, id_: str) -> Any:
        """The value of a stage by its id, ``ABSENT`` if it did not run."""
        return self.packet.values[id_]

    @property
    def image(self) -> Image:
        """The picture to show: the last one drawn on, otherwise the last one made."""
        shown = [v for v in self.packet.values.values() if isinstance(v, Image)]
        drawn = [v for v in shown if isinstance(v, Annotated)]
        return (drawn or shown)[-1]

    @property
    def detections(self) -> Detections:
        """The last objects found, in source-frame pixels where they have a place there."""
        found = [v for v in self.packet.values.values() if isinstance(v, Detections)]
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


@dataclass(frozen=True)
class Pipeline:
    """A compiled pipeline.

    >>> pipeline = Pipeline.load("pipelines/detect.yaml", min_score=0.4)
    >>> for result in pipeline.run("street.jpg"):
    ...     print(result.detections.class_name)
    """

    plan: Plan
    settings: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def load(cls, path: str | Path, *, allow_code: bool = False, **variables: Any) -> Self:
        """Compile a pipeline file; keyword arguments are its variables.

        Raises:
            PipelineError: everything wrong in the file, with positions.
        """
        return cls(compile_file(path, CompileOptions(variables, allow_code)))

    @classmethod
    def from_text(cls, text: str, *, allow_code: bool = False, file: str = "<text>", **variables: Any) -> Self:
        """Compile a pipeline written as YAML text."""
        return cls(compile_text(text, file, CompileOptions(variables, allow_code)))

    def with_settings(self, **settings: Any) -> Self:
        """A copy that runs with other :class:`RunSettings`: ``device="cuda"``, ``batch=8``, ``workers=4``."""
        return replace(self, settings={**self.settings, **settings})

    def run(self, *inputs: Any, options: SourceOptions | None = None) -> Iterator[Result]:
        """Run on pictures, folders, videos, cameras or arrays (H, W, 3) BGR uint8; iterate over the results.

        Results come in order while later frames are worked on; leaving the loop early ends the run. The file's
        ``outputs`` are not written: that is :meth:`write`.
        """
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
        self, *inputs: Any, out: str | Path = "out", overwrite: bool = False, options: SourceOptions | None = None
    ) -> RunSummary:
        """Run on inputs and write the file's outputs below ``out``.

        Raises:
            VisionkitError: an output exists already, or cannot be written.
        """
        return Job(self.plan, self._run_settings()).run(inputs, out=Path(out), overwrite=overwrite, options=options)

    def _run_settings(self) -> RunSettings:
        from visionkit.runtime.context import RunSettings

        return RunSettings.of(self.plan, **self.settings)


class Job:
    """One run of a plan on inputs. ``total``: how many frames, where known; ``for_outputs``: settings for sinks."""

    def __init__(
        self, plan: Plan, settings: RunSettings, on_packet: Callable[[Packet], None] | None = None, trust: bool = False
    ) -> None:
        self.plan = plan
        self.settings = settings
        self.engine: Engine | None = None
        self.total: int | None = None
        self.for_outputs: dict[str, Any] = {}
        self._on_packet = on_packet
        self._trust = trust
        self._stopped = False

    def stop(self) -> None:
        """End the run soon; what is in flight is finished and outputs are closed."""
        self._stopped = True
        if self.engine is not None:
            self.engine.stop()

    def reload(self, plan: Plan) -> bool:
        """Go on with another plan from the next packet on; False if the run has ended.

        Raises:
            VisionkitError: a new stage cannot be opened; the plan before goes on.
        """
        if self.engine is None or not self.engine.swap(plan):
            return False
        self.plan = plan
        return True

    def run(
        self,
        inputs: Sequence[Any],
        *,
        out: Path = Path("out"),
        overwrite: bool = False,
        options: SourceOptions | None = None,
        outputs: bool = True,
        progress: Callable[[str, int, int], None] | None = None,
        batch: BatchOptions | None = None,
    ) -> RunSummary:
        """Open everything, run, close everything.

        A run on files alone keeps a manifest in ``out``: started again, it goes on where it stopped.

        Args:
            inputs: what :func:`visionkit.media.sources.open_sources` takes.
            out: the folder for results.
            overwrite: existing results may be replaced.
            options: how inputs are read.
            outputs: write the file's outputs.
            progress: told of downloads of weights: name, bytes done, bytes in all.
            batch: what becomes of the results of an earlier run.
        """
        from visionkit.media.sources import SourceOptions, open_sources
        from visionkit.runtime.batch import BatchOptions
        from visionkit.runtime.checks import frames_of, joined
        from visionkit.runtime.context import cores
        from visionkit.runtime.engine import Engine
        from visionkit.runtime.threads import limit_threads
        from visionkit.stage.sink import SinkContext

        options = options or SourceOptions()
        sources = open_sources(inputs, replace(options, variants=options.variants or self.plan.variants))
        if options.reduced:
            self._reduce(sources)
        outlets = self._outlets(outputs)
        infos = joined([source.infos or () for source in sources])
        self.total = frames_of(infos) if infos else None
        work = self._batch(sources, out, batch or BatchOptions()) if outputs else None
        hub = ModelHub(self.settings, self._trust, progress)
        engine = Engine(self.plan, self.settings, hub.context, self._on_packet)
        context = SinkContext(out, overwrite, plan_hash=self.plan.hash, settings=self.for_outputs, report=engine.note)
        limit_threads(self.plan, self.settings.worker_count, cores())
        try:
            if work is not None:
                return self._run_batch(work, engine, sources, outlets, context)
            self._check(outlets, context, infos, outputs)
            return self._started(engine).run(sources, outlets, context)
        finally:
            hub.close()

    def _reduce(self, sources: Sequence[Any]) -> None:
        from visionkit.media.sources.files import FilesSource
        from visionkit.runtime.reduction import reduction

        for source in sources:
            if isinstance(source, FilesSource):
                source.reduce(reduction(self.plan))

    def _started(self, engine: Engine) -> Engine:
        self.engine = engine
        if self._stopped:
            engine.stop()
        return engine

    @staticmethod
    def _check(outlets: Sequence[Any], context: SinkContext, infos: Sequence[SourceInfo], outputs: bool) -> None:
        from visionkit.runtime.manifest import discard

        for outlet in outlets:
            outlet.sink.check(replace(context, names=outlet.names), infos)
        if outputs:
            discard(context.out)

    def _run_batch(
        self, work: Batch, engine: Engine, sources: Sequence[Any], outlets: Sequence[Any], context: SinkContext
    ) -> RunSummary:
        """A run that keeps a manifest: what an earlier one did is left as it is."""
        from visionkit.runtime.batch import Ledger

        with closing(work):
            work.begin(outlets, context)
            self.total = work.todo
            if work.skipped:
                engine.note(work.note)
            context = replace(context, overwrite=context.overwrite or work.continued, resume=work.resumed, keep=True)
            if work.todo:
                summary = self._started(engine).run(sources, [*outlets, Ledger(work.manifest, outlets)], context)
            else:
                summary = engine.only_close(outlets, context)
            work.end(summary)
        return replace(summary, counts={"skipped": work.skipped, "failed_before": work.failed})

    def _batch(self, sources: Sequence[Any], out: Path, options: BatchOptions) -> Batch | None:
        from visionkit.media.sources.files import FilesSource
        from visionkit.runtime.batch import Batch

        if options.keep and len(sources) == 1 and isinstance(sources[0], FilesSource):
            return Batch(sources[0], out, self.plan, options)
        if options.retry_failed or options.shard:
            raise UsageError("--retry-failed and --shard take files and folders only, and no --watch")
        return None

    def _outlets(self, outputs: bool) -> list[Any]:
        from visionkit.runtime.checks import refuse_shared_paths
        from visionkit.runtime.outlets import Outlet
        from visionkit.stage.catalogue import sinks

        if not outputs:
            return []
        own = [Outlet(node.id, node.sink(node.params), node) for node in self.plan.outputs]
        errors = sinks().get("errors")
        outlets = [*own, Outlet("errors", errors(errors.Params()))]
        refuse_shared_paths(outlets)
        return outlets
