"""Which frames go to a GPU as soon as they are decoded, so that stages find them there."""

from __future__ import annotations

from visionkit.data.device import check, is_gpu
from visionkit.pipeline.plan import SOURCE, ForEachNode, Plan, Scope
from visionkit.runtime.context import RunSettings, choose_device
from visionkit.runtime.steps import Step
from visionkit.runtime.token import Token


def device_of_frames(plan: Plan, settings: RunSettings) -> str:
    """The device frames are sent to; "" where no stage that can work there looks at them.

    Filters alone are no reason to go there and back, unless the run asks for the device by name.
    """
    networks = any(node.kind == "batch" and node.stage.on_device for node in plan.walk())
    if not looked_at(plan.root, SOURCE) or not (networks or is_gpu(settings.device)):
        return ""
    device = choose_device(settings.device)
    return device if is_gpu(device) else ""


def sending(plan: Plan, settings: RunSettings) -> list[tuple[str, Step]]:
    """The engine's step that sends frames to a device, where there is one for them.

    Raises:
        UsageError: the run asks for a GPU that is not there.
    """
    device = device_of_frames(plan, settings)
    check(device)

    def send(token: Token) -> None:
        if not token.values[SOURCE].device:  # it was decoded there
            token.values[SOURCE].put(device)

    return [("send", send)] if device else []


def looked_at(scope: Scope, slot: int) -> bool:
    """Whether a stage that can work on a device reads a picture, itself or what is cut from it."""
    for node in scope.nodes:
        if isinstance(node, ForEachNode):
            if node.image == slot and looked_at(node.body, SOURCE):
                return True
        elif node.stage.on_device and slot in node.reads():
            return True
    return False
