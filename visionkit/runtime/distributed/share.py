"""What one worker gets of a cluster."""

from __future__ import annotations

from typing import Any

from visionkit.errors import UsageError
from visionkit.frozen import Frozen
from visionkit.pipeline.plan import Plan
from visionkit.runtime.context import RunSettings

FEW = 4
"""Processors of a worker whose plan has a network: more networks side by side would cost too much memory."""
MANY = 8
"""Processors of a worker with a GPU, at most: they decode for it."""


class Share(Frozen):
    """``most``: how many such workers the cluster has room for."""

    cores: int
    gpus: int
    device: str
    most: int

    @property
    def needs(self) -> dict[str, float]:
        """As Ray's actors ask for it."""
        return {"num_cpus": self.cores, **({"num_gpus": self.gpus} if self.gpus else {})}


def share_of(ray: Any, plan: Plan, settings: RunSettings) -> Share:
    """One processor for plans without a network; a GPU each where there are any and a network may use them.

    Raises:
        UsageError: a GPU is asked for and there is none, or no machine has so many processors.
    """
    nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    cores, gpus = (int(sum(node.get(name, 0) for node in nodes)) for name in ("CPU", "GPU"))
    wants = settings.device.startswith("cuda")
    if wants and not gpus:
        raise UsageError(f"--device {settings.device}: no machine of the cluster has a GPU", help="leave --device out")
    networks = any(node.kind == "batch" for node in plan.walk())
    if gpus and (wants or (settings.device == "auto" and networks)):
        own = settings.workers or max(1, min(MANY, cores // gpus))
        return Share(own, 1, "cuda", min(gpus, _room(nodes, own)))
    own = settings.workers or (min(FEW, *(int(node.get("CPU", 0)) or FEW for node in nodes)) if networks else 1)
    return Share(own, 0, "cpu" if settings.device == "auto" else settings.device, _room(nodes, own))


def _room(nodes: list[dict[str, float]], cores: int) -> int:
    room = sum(int(node.get("CPU", 0) // cores) for node in nodes)
    if not room:
        most = max((node.get("CPU", 0) for node in nodes), default=0)
        text = f"a worker with {cores} processors fits on no machine: the largest has {most:g}"
        raise UsageError(text, help="choose fewer with --workers")
    return room
