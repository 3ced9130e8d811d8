"""Parameters changed while frames flow: the text of the file is changed, compiled and handed to the running job."""

from __future__ import annotations

import os
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from visionkit.api import Job
from visionkit.app.live import edits
from visionkit.app.live.controls import Control, controls, stage_nodes
from visionkit.errors import PipelineError, UsageError, VisionkitError
from visionkit.pipeline.compile import CompileOptions, compile_text, read_text
from visionkit.pipeline.plan import Plan, StageNode
from visionkit.pipeline.variables import ENVIRONMENT_PREFIX


class Editor:
    """The text of the pipeline as it runs now, which may be ahead of the file.

    Args:
        job: the run that takes over what is changed.
        text: what it was compiled from.
        name: what messages call it; paths in the text are relative to it.
        path: the file to save to, None where there is none of the user's own.
        options: how it was compiled.
        say: hears of problems and of what was mended ("").
    """

    def __init__(
        self, job: Job, text: str, name: str, path: Path | None, options: CompileOptions, say: Callable[[str], None]
    ) -> None:
        self.text = text
        self.name = name
        self.path = path
        self._saved = text
        self._job = job
        self._options = options
        self._say = say
        self._lock = threading.Lock()

    @property
    def plan(self) -> Plan:
        """What runs."""
        return self._job.plan

    @property
    def dirty(self) -> bool:
        """True if something was changed and not saved."""
        return self.text != self._saved

    def controls(self, node: StageNode) -> list[Control]:
        """The parameters of a stage; those that the file does not decide are fixed."""
        return [self._placed(node, control) for control in controls(node)]

    def set(self, stage: str, name: str, value: Any) -> None:
        """Change one parameter from the next frame on.

        Raises:
            VisionkitError: it is unknown, fixed or not allowed; everything goes on as before.
        """
        with self._lock:
            node, control = self._find(stage, name)
            if control.kind == "fixed":
                raise UsageError(f"{node.name}.{name} cannot be changed from here", help=control.note)
            if node.position is None:
                raise UsageError(f"{node.name} stands in no file")
            self._run(edits.with_parameter(self.text, node.position, name, _plain(value)))

    def revert(self) -> None:
        """Back to what the file says.

        Raises:
            VisionkitError: the file cannot be read, or does not compile.
        """
        with self._lock:
            text = read_text(self.path) if self.path is not None else self._saved
            self._run(text)
            self._saved = text

    def reload(self, plan: Plan) -> bool:
        """The file was saved by somebody else: what was changed here and not saved is gone."""
        with self._lock:
            if not self._job.reload(plan):
                return False
            if self.path is not None:
                self.text = self._saved = read_text(self.path)
            self._say("")
            return True

    def save(self) -> Path:
        """Write the text into the file, whole or not at all.

        Raises:
            UsageError: there is no file of the user's, or somebody else changed it.
        """
        with self._lock:
            if self.path is None:
                raise UsageError(f"{self.name} is not a file of yours", help="download it, and run the copy")
            if read_text(self.path) != self._saved:
                raise UsageError(f"{self.path} was changed meanwhile", help="revert, and change it again")
            _replace(self.path.resolve(), self.text)
            self._saved = self.text
            return self.path

    def _find(self, stage: str, name: str) -> tuple[StageNode, Control]:
        node = dict(stage_nodes(self.plan.root)).get(stage)
        if node is None:
            raise UsageError(f"there is no stage {stage[:80]!r}", help="reload the page")
        for control in self.controls(node):
            if control.name == name:
                return node, control
        raise UsageError(f"{node.name} has no parameter {name[:80]!r}")

    def _run(self, text: str) -> None:
        plan = compile_text(text, self.name, self._options)
        if [name for name, _ in stage_nodes(plan.root)] != [name for name, _ in stage_nodes(self.plan.root)]:
            raise UsageError("this would change more than a parameter", help="change it in the file")
        if plan.hash != self.plan.hash and not self._job.reload(plan):
            raise UsageError("the run has ended")
        self.text = text
        self._say("")

    def _placed(self, node: StageNode, control: Control) -> Control:
        if control.kind == "fixed" or node.position is None:
            return control
        if node.position.file != self.name:
            return _noted(control, f"stands in {Path(node.position.file).name}", fixed=True)
        try:
            variable = edits.variable_of(self.text, node.position, control.name)
        except UsageError as error:
            return _noted(control, error.message, fixed=True)
        if not variable:
            return control
        given = variable in self._options.variables or ENVIRONMENT_PREFIX + variable in os.environ
        return _noted(control, f"${variable}, given at the start" if given else f"${variable}", fixed=given)


def told(error: VisionkitError) -> str:
    """An error as the terminal shows it."""
    if isinstance(error, PipelineError):
        return str(error)
    lines = [f"{error.code}  {error.message}", *(f"  help: {line}" for line in error.help.splitlines())]
    return "\n".join(lines)


def _noted(control: Control, note: str, fixed: bool) -> Control:
    return Control(**{**control.as_json(), "note": note, **({"kind": "fixed"} if fixed else {})})


def _plain(value: Any) -> Any:
    """Whole numbers without a point: 5.0 of a slider is 5."""
    return int(value) if isinstance(value, float) and value.is_integer() and abs(value) < 2**53 else value


def _replace(path: Path, text: str) -> None:
    """The file with this text; at no moment is it half written. Mode and byte-order mark stay."""
    before = path.read_bytes()
    mark = b"\xef\xbb\xbf" if before.startswith(b"\xef\xbb\xbf") else b""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(mark + text.encode())
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(path.stat().st_mode & 0o7777)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
