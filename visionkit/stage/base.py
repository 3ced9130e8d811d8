"""The three kinds of stage. The base class says how the engine may run it."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar, get_args

from pydantic import BaseModel, ConfigDict

if TYPE_CHECKING:
    from visionkit.expr import Record, Type
    from visionkit.stage.context import StageContext


class StageParams(BaseModel):
    """The parameters of a stage: frozen, every field described, nothing unknown accepted."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True, use_enum_values=True)


P = TypeVar("P", bound=StageParams)


class Stage(Generic[P]):
    """One step of a pipeline. Subclass :class:`MapStage`, :class:`BatchStage` or :class:`ScanStage`.

    The parameter model is the generic argument, the ports are the signature of ``run``, the first line of the
    docstring is the summary. Constructors are cheap; :meth:`open` loads; :meth:`close` always runs.
    """

    Params: ClassVar[type[StageParams]] = StageParams
    extra_columns: ClassVar[Mapping[str, Type | Record]] = {}
    """Columns that the stage adds to the detections it yields, for the type checker."""

    needs_tracks: ClassVar[bool] = False
    """True for stages whose detections must have identities from frame to frame."""

    detaches: ClassVar[bool] = False
    """True for stages whose picture has no place in the source frame: a mosaic, a generated picture."""

    hides: ClassVar[bool] = False
    """True for stages that make things unrecognisable: where a frame failed, no output may show it bare."""

    on_device: ClassVar[bool] = False
    """True for stages that can work where ``Image.device`` says the pixels are: frames are sent there for them."""

    side_by_side: ClassVar[bool] = False
    """True for stages that reach their networks through ``Model.infer`` alone: several instances may share them and
    work at the same time, each in a thread of its own."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        for base in getattr(cls, "__orig_bases__", ()):
            found = [arg for arg in get_args(base) if isinstance(arg, type) and issubclass(arg, StageParams)]
            if found:
                cls.Params = found[0]

    def __init__(self, params: P) -> None:
        self.params = params

    def open(self, context: StageContext) -> None:
        """Heavy imports, weights, buffers. Called once, before the first ``run``."""

    def close(self) -> None:
        """Let go of what :meth:`open` took. Called exactly once after it, whatever happened."""

    @classmethod
    def columns(cls, params: P) -> Mapping[str, Type | Record]:
        """Columns added to the detections, where they depend on the parameters."""
        return cls.extra_columns

    @classmethod
    def fields(cls, params: P, port: str) -> Mapping[str, Type | Record]:
        """What expressions may ask of the output ``port`` ("" where there is only one) beyond what its type has.

        By default the :meth:`columns`; to be overridden by stages whose outputs differ in them.
        """
        return cls.columns(params)

    @classmethod
    def check(cls, params: P, weights: Any) -> Sequence[tuple[str, str, str]]:
        """What the parameter model alone cannot see, asked when the file is compiled; nothing may be loaded.

        Args:
            params: the validated parameters.
            weights: the weights catalogue (``visionkit.weights.Catalogue``).

        Returns:
            Problems as (parameter, message, help).
        """
        return ()


class MapStage(Stage[P]):
    """One in, one out, pure: the engine runs it anywhere, in parallel, fused with its neighbours.

    Subclasses define ``run(self, a: A, b: B | None = ..., ...) -> C``.
    """

    run: Any

    @classmethod
    def needs(cls, params: P, width: int, height: int) -> tuple[int, int] | None:
        """How small a picture of ``width`` × ``height`` may come in, decoded at reduced scale; None: as it is.

        For stages that scale their picture down to a size that follows from ``Image.full_size``.
        """
        return None


class BatchStage(Stage[P]):
    """Many in, many out, pure: the engine gathers batches across frames, streams and objects.

    Subclasses define ``run(self, a: Sequence[A], ...) -> Sequence[C]``, as many out as in, in order.
    """

    run: Any

    def bucket(self, *inputs: Any) -> Hashable:
        """Packets whose bucket differs are never put into one batch; by default all may be."""
        return None


class ScanStage(Stage[P]):
    """One in, one out, in the order of the source: the engine keeps one instance per stream of packets.

    Subclasses define ``run`` as for :class:`MapStage`; :meth:`reset` forgets everything (a new session begins).

    Attributes:
        now: set by the engine before each ``run``: the packet's time since the start of its source in seconds, exact;
            None where there is none (pictures).
    """

    run: Any
    now: Fraction | None = None

    def reset(self) -> None:
        """Forget: what follows belongs to another source or session."""
