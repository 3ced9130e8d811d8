"""The stage contract: what a stage is, how it says what it takes and gives, where it is found."""

from visionkit.stage.base import BatchStage, MapStage, ScanStage, Stage, StageParams
from visionkit.stage.context import StageContext, derived_seed
from visionkit.stage.params import Color, GivenFile, OddInt, Pixels, Probability, WeightsName, wrong_task
from visionkit.stage.ports import InputPort, OutputPort, Ports, ports_of
from visionkit.stage.sink import Sink, SinkContext, SinkParams
from visionkit.stage.source import Connection, Frame, Gap, Source, SourceInfo

__all__ = [
    "BatchStage",
    "Color",
    "Connection",
    "Frame",
    "Gap",
    "GivenFile",
    "InputPort",
    "MapStage",
    "OddInt",
    "OutputPort",
    "Pixels",
    "Ports",
    "Probability",
    "ScanStage",
    "Sink",
    "SinkContext",
    "SinkParams",
    "Source",
    "SourceInfo",
    "Stage",
    "StageContext",
    "StageParams",
    "WeightsName",
    "derived_seed",
    "ports_of",
    "wrong_task",
]
