"""One suite that every stage passes, ours or a plugin's."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from visionkit.data import Detections, Image
from visionkit.stage import Stage, StageParams, ports_of
from visionkit.testing import frames
from visionkit.testing.case import Case, Values
from visionkit.testing.compare import Tolerance, difference
from visionkit.testing.context import CountingContext
from visionkit.testing.examples import example_params

HEAVY = ("torch", "cv2", "numpy", "av", "onnxruntime", "PIL", "supervision", "albumentations", "ultralytics")
FIELDS = {"track_id", "score", "class_name", "class_id"}
"""Columns that are fields of their own: a tracker declares ``track_id``."""


def check_stage(
    stage_class: type[Stage[Any]],
    params: StageParams | Mapping[str, Any] | None = None,
    inputs: Callable[[Image], Mapping[str, Any]] | None = None,
    *,
    context: CountingContext | None = None,
    fresh_import: bool = True,
) -> None:
    """Hold a stage to the contract: every check of :data:`CHECKS`.

    Args:
        stage_class: the stage.
        params: its parameters; None takes the defaults, or those of the docstring's example where some are required.
        inputs: picture → a value for every port, always the same for the same picture; None makes examples.
        context: given to ``open``; None takes networks from the weights catalogue and the store of this machine.
        fresh_import: import the stage's module in an interpreter of its own; :func:`heavy_imports` does many at once.

    Raises:
        AssertionError: what does not hold, and where.
    """
    if not isinstance(params, StageParams):
        params = default_params(stage_class, params)
    case = Case(stage_class, params, inputs, context or CountingContext())
    for check in CHECKS:
        check(case)
    if fresh_import:
        found = heavy_imports([stage_class.__module__])
        assert not found, f"importing {stage_class.__module__} imports {', '.join(found[stage_class.__module__])}"


def default_params(stage_class: type[Stage[Any]], given: Mapping[str, Any] | None = None) -> StageParams:
    """The parameters to check a stage with."""
    if given is not None:
        return stage_class.Params(**given)
    try:
        return stage_class.Params()
    except ValidationError:  # some are required
        return stage_class.Params(**example_params(stage_class)[0])


def check_description(case: Case) -> None:
    """A summary, ports that follow the contract, every parameter described, none that can be changed."""
    lines = (case.stage_class.__doc__ or "").strip().splitlines()
    assert lines, f"{case.name} has no docstring"
    assert lines[0].rstrip().endswith("."), f"{case.name}: the first line of the docstring is no sentence: {lines[0]}"
    assert len(lines) == 1 or not lines[1].strip(), f"{case.name}: a blank line follows the docstring's first line"
    ports_of(case.stage_class)
    for name, info in case.stage_class.Params.model_fields.items():
        assert info.description, f"{case.name}: the parameter {name!r} has no description"
    assert case.stage_class.Params.model_config.get("frozen"), f"{case.name}: its parameters can be changed"


def check_example(case: Case) -> None:
    """The docstring's example names the stage, and its parameters are valid."""
    for given in example_params(case.stage_class):
        case.stage_class.Params(**given)


def check_outputs(case: Case) -> None:
    """The outputs are those declared and the inputs unchanged, on odd pictures too, with empty and absent inputs."""
    again = _pictures()
    with case.opened() as stage:
        for title, image in _pictures().items():
            for variant, values in case.variants(image).items():
                case.reset(stage)
                where = f"{case.name} on {title}, inputs {variant}"
                for _ in range(2 if case.is_scan else 1):  # a scan may have nothing to give for the first picture
                    try:
                        output = case.run(stage, values)
                    except Exception as error:
                        error.add_note(where)
                        raise
                    _check_output(case, output, values, where)
                text = difference(values, case.variants(again[title])[variant], path="inputs")
                text = text or _tensor_changed(values)
                assert text is None, f"{where}: changed what it was given: {text}"


def check_pure(case: Case) -> None:
    """A stage without memory gives the same for the same picture, whatever came before."""
    if case.is_scan:
        return
    images = [_pictures()[title] for title in ("frame", "odd sides")]
    with case.opened() as stage:
        forth = case.outputs(stage, images)
        back = case.outputs(stage, images[::-1])[::-1]
    text = difference(forth, back)
    assert text is None, f"{case.name} depends on what came before: {text}"


def check_batch(case: Case) -> None:
    """A batch gives what its parts give, and calls each network once."""
    if not case.is_batch:
        return
    with case.opened() as stage:
        for images in (_video()[:3], [_pictures()[title] for title in ("odd sides", "grey")]):
            for group in _buckets(case, stage, images):
                alone = [case.run(stage, values) for values in group]
                case.context.calls.clear()
                together = stage.run(**{name: [values[name] for values in group] for name in group[0]})
                text = difference(list(together), alone, Tolerance(), "batch")
                assert text is None, f"{case.name}: a batch of {len(group)} is not what its parts are: {text}"
                often = {name: n for name, n in case.context.calls.items() if n > 1}
                assert not often, f"{case.name}: a batch of {len(group)} calls its networks more than once: {often}"


def check_reset(case: Case) -> None:
    """After ``reset`` a scan knows nothing of what it has seen."""
    if not case.is_scan:
        return
    with case.opened() as stage:
        first = case.outputs(stage, _video())
        case.outputs(stage, _video(seed=1))
        case.reset(stage)
        second = case.outputs(stage, _video())
    text = difference(first, second)
    assert text is None, f"{case.name} remembers across reset(): {text}"


def check_instances(case: Case) -> None:
    """Two instances that take turns give what each gives alone."""
    count = 4 if case.is_scan else 1
    one, other = _video()[:count], _video(seed=1)[:count]
    with case.opened() as stage:
        alone = case.outputs(stage, one)
    with case.opened() as stage:
        other_alone = case.outputs(stage, other)
    with case.opened() as first, case.opened() as second:
        turns = [case.outputs(first, [a]) + case.outputs(second, [b]) for a, b in zip(one, other, strict=True)]
    text = difference([list(pair) for pair in zip(alone, other_alone, strict=True)], turns)
    assert text is None, f"{case.name}: two instances interfere: {text}"


CHECKS: tuple[Callable[[Case], None], ...] = (
    check_description,
    check_outputs,
    check_pure,
    check_batch,
    check_reset,
    check_instances,
    check_example,
)


def heavy_imports(modules: Sequence[str]) -> dict[str, list[str]]:
    """Modules that import something heavy at module level, with what; found in an interpreter of its own.

    Each heavy package is named once, with the first module that brings it.
    """
    script = (
        "import importlib, json, sys\n"
        "heavy, found = set(json.loads(sys.argv[1])), {}\n"
        "for name in sys.argv[2:]:\n"
        "    before = set(sys.modules)\n"
        "    importlib.import_module(name)\n"
        "    if new := heavy & (set(sys.modules) - before):\n"
        "        found[name] = sorted(new)\n"
        "print(json.dumps(found))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, json.dumps(HEAVY), *modules],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"importing {', '.join(modules)} failed:\n{done.stderr}"
    found: dict[str, list[str]] = json.loads(done.stdout)
    return found


def _video(seed: int = 0) -> list[Image]:
    return [scene.image for scene in frames.moving_discs(4, seed=seed)]


def _pictures() -> dict[str, Image]:
    """An ordinary picture and odd ones, made anew and always the same."""
    return {"frame": _video()[0]} | frames.odd()


def _buckets(case: Case, stage: Any, images: Sequence[Image]) -> list[list[Values]]:
    """The values of these pictures in the groups that the engine may put into one batch."""
    groups: dict[Hashable, list[Values]] = {}
    for image in images:
        values = case.values(image)
        groups.setdefault(stage.bucket(*values.values()), []).append(values)
    return list(groups.values())


def _check_output(case: Case, output: Any, values: Values, where: str) -> None:
    for name, type_, value in case.results(output):
        assert isinstance(value, type_), f"{where}: {name} is declared {type_.__name__}, got {type(value).__name__}"
        if isinstance(value, Detections):
            _check_columns(case, value, values, where)


def _check_columns(case: Case, objects: Detections, values: Values, where: str) -> None:
    declared = {str(column) for column in case.stage_class.columns(case.params)}
    came = {column for value in values.values() if isinstance(value, Detections) for column in value.columns}
    new = set(objects.columns) - came
    # A record "plate" stands for the columns "plate.text", "plate.score".
    undeclared = {column for column in new if not {column, column.partition(".")[0]} & declared}
    assert not undeclared, f"{where}: columns {sorted(undeclared)} are not declared in extra_columns"
    there = set(objects.columns) | {column.partition(".")[0] for column in objects.columns} | FIELDS
    assert not len(objects) or declared <= there, (
        f"{where}: columns {sorted(declared - there)} are declared but not there"
    )


def _tensor_changed(values: Values) -> str | None:
    """Tensors of a picture are kept, and torch would let anybody write into them."""
    if "torch" not in sys.modules:
        return None
    for name, value in values.items():
        if isinstance(value, Image) and (value.tensor().numpy() != value.rgb().transpose(2, 0, 1)).any():
            return f"{name}.tensor()"
    return None
