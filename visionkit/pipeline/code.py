"""``- python:``: a user's own function as a stage, only with ``--allow-code``."""

from __future__ import annotations

import importlib.util
import inspect
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Field

from visionkit.data import Image
from visionkit.errors import StageError, VisionkitError
from visionkit.pipeline.document import Scalar
from visionkit.pipeline.items import Item
from visionkit.stage.base import MapStage, Stage, StageParams
from visionkit.stage.ports import ports_of

if TYPE_CHECKING:
    from visionkit.pipeline.compile import Compiler


class PythonParams(StageParams):
    file: str = Field(description="A Python file, relative to the pipeline file.")
    function: str = Field(description="A function of it, or a class that is a stage.")
    with_: dict[str, Any] = Field({}, alias="with", description="Further arguments for the function.")


def python_stage(compiler: Compiler, item: Item) -> type[Stage[Any]] | None:
    """A stage class made from the user's function.

    A function without type hints takes and returns BGR pixels (H, W, 3) uint8; one with hints takes and returns
    visionkit's data types, as ``run`` of a stage does.
    """
    problems = compiler.problems
    if not compiler.options.allow_code:
        problems.add("VK115", "python", "runs code of your own, which must be allowed", item.node, "add --allow-code")
        return None
    file, function = item.params.get("file"), item.params.get("function")
    if not isinstance(file, Scalar) or not isinstance(function, Scalar):
        problems.add("VK113", "python", "needs file and function", item.node, "- python: {file: my.py, function: f}")
        return None
    path = compiler.folder / compiler.variables.text(file)
    try:
        found = getattr(_import(path), function.text)
        compiler.entries.given(path)
        stage: Any = found if inspect.isclass(found) else _wrap(found)
        ports_of(stage)
    except Exception as error:  # noqa: BLE001  whatever the user's module raises is the user's to see
        problems.add("VK115", "python", f"{path}: {type(error).__name__}: {error}", function)
        return None
    return stage


def _import(path: Path) -> Any:
    spec = importlib.util.spec_from_file_location(f"visionkit_user_{path.stem}", path)
    if spec is None or spec.loader is None or not path.is_file():
        raise FileNotFoundError("no such Python file")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _wrap(function: Any) -> type[Stage[Any]]:
    called = _placed(function)
    hinted = "return" in getattr(function, "__annotations__", {})

    def run_pixels(self: Any, image: Image) -> Image:
        return image.replaced(called(image.bgr().copy(), **self.params.with_))

    def run_typed(self: Any, *values: Any) -> Any:
        return called(*values, **self.params.with_)

    body: dict[str, Any] = {"run": run_pixels, "__doc__": function.__doc__, "__module__": __name__}
    if hinted:
        hints = inspect.get_annotations(function, eval_str=True)
        names = [n for n in inspect.signature(function).parameters if n in hints]
        run_typed.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
            [inspect.Parameter(n, inspect.Parameter.POSITIONAL_OR_KEYWORD) for n in ("self", *names)]
        )
        run_typed.__annotations__ = hints
        body["run"] = run_typed
    stage: Any = type(function.__name__, (MapStage,), body)
    stage.Params = PythonParams
    return stage


def _placed(function: Any) -> Callable[..., Any]:
    """``function``, whose errors say on which line of the user's file they came up."""

    def call(*args: Any, **options: Any) -> Any:
        try:
            return function(*args, **options)
        except Exception as error:
            frames = traceback.extract_tb(error.__traceback__)[1:]
            file = getattr(getattr(function, "__code__", None), "co_filename", "")
            last = next((frame for frame in reversed(frames) if frame.filename == file), None)
            place = f" ({Path(last.filename).name}:{last.lineno})" if last else ""
            code = error.code if isinstance(error, VisionkitError) else None
            raise StageError(f"{type(error).__name__}: {error}{place}", code=code) from error

    return call
