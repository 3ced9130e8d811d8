"""One run of a plan, from opening its inputs to closing its outputs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from visionkit.data import Packet
from visionkit.errors import UsageError
from visionkit.hub import ModelHub
from visionkit.pipeline.plan import Plan

if TYPE_CHECKING:
    from visionkit.media.sources import SourceOptions
    from visionkit.runtime.batch import Batch, BatchOptions
    from visionkit.runtime.context import RunSettings
    from visionkit.runtime.engine import Engine
    from visionkit.runtime.metrics import RunSummary
    from visionkit.stage.sink import SinkContext
    from visionkit.stage.source import SourceInfo


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
        from visionkit.runtime.checks import frames_of, joined, outlets_of
        from visionkit.runtime.context import cores
        from visionkit.runtime.threads import encoder_threads, keep_memory, limit_threads, streams_for, workers_for
        from visionkit.stage.sink import SinkContext

        options = options or SourceOptions()
        variants, threads = options.variants or self.plan.variants, options.threads or self.settings.decoder_threads
        device = options.device or self._decoder()
        sources = open_sources(inputs, replace(options, variants=variants, threads=threads, device=device))
        if options.reduced:
            self._reduce(sources)
        outlets = outlets_of(self.plan) if outputs else []
        infos = joined([source.infos or () for source in sources])
        self.total = frames_of(infos) if infos else None
        work = self._batch(sources, out, batch or BatchOptions()) if outputs else None
        settings = replace(self.settings, workers=self.settings.workers or workers_for(sources, cores()))
        streams = streams_for(sources, infos, settings.worker_count, cores())
        hub = ModelHub(settings, self._trust, progress, streams)
        engine = self._engine(settings, hub, work, batch or BatchOptions())
        if self.settings.decoder == "nvdec" and not device:
            engine.note("the CPU decodes videos: nvdec needs an NVIDIA GPU (device: cuda) and torch")
        self.for_outputs.setdefault("threads", encoder_threads(cores()))
        context = SinkContext(out, overwrite, plan_hash=self.plan.hash, settings=self.for_outputs, report=engine.note)
        limit_threads(self.plan, settings.worker_count, cores(), streams)
        keep_memory(any(source.live for source in sources))
        try:
            if work is not None:
                return self._run_batch(work, engine, sources, outlets, context)
            self._check(outlets, context, infos, outputs)
            return self._started(engine).run(sources, outlets, context)
        finally:
            hub.close()

    def _decoder(self) -> str:
        """The GPU whose decoder is asked for; "" if none is, or there is no GPU."""
        from visionkit.data.device import is_gpu, named
        from visionkit.runtime.context import choose_device

        if self.settings.decoder != "nvdec":
            return ""
        device = choose_device(self.settings.device)
        return named(device) if is_gpu(device) else ""

    def _engine(self, settings: RunSettings, hub: ModelHub, work: Batch | None, options: BatchOptions) -> Engine:
        """The engine of this process, or one that sends the work to others.

        Raises:
            UsageError: there is work that others cannot do.
        """
        from visionkit.runtime.distributed.engine import RayEngine
        from visionkit.runtime.engine import Engine

        if options.engine == "local":
            return Engine(self.plan, settings, hub.context, self._on_packet)
        if work is None or self._on_packet is not None:
            raise UsageError("--engine ray takes files and folders only, and shows nothing while it runs")
        return RayEngine(self.plan, settings, partial(ModelHub, settings, self._trust), options.address)

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
        from visionkit.runtime.distributed.engine import RayEngine
        from visionkit.runtime.ledger import Ledger

        with closing(work):
            work.begin(outlets, context)
            self.total = work.todo
            if work.skipped:
                engine.note(work.note)
            context = replace(context, overwrite=context.overwrite or work.continued, resume=work.resumed, keep=True)
            if not work.todo:
                summary = engine.only_close(outlets, context)
            elif isinstance(engine, RayEngine):
                self._started(engine)
                summary = engine.run_batch(work, outlets, context)
            else:
                summary = self._started(engine).run(sources, [*outlets, Ledger(work.manifest, outlets)], context)
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
