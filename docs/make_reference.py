"""Writes docs/stages.md and docs/errors.md from what the code says of itself: ``python docs/make_reference.py``."""

from __future__ import annotations

import importlib
import inspect
import re
from pathlib import Path
from typing import Any

from visionkit import errors
from visionkit.app.exit_codes import EXIT_CODES, EXIT_FAILED
from visionkit.app.stage_help import parameters, wiring
from visionkit.pipeline.problems import CODES
from visionkit.stage.catalogue import sinks, stages

DOCS = Path(__file__).resolve().parent
NOTE = "*Written by `python docs/make_reference.py` from the code's own words.*"


RUN = {
    "VK311": "weights that the catalogue does not have",
    "VK312": "weights that are not here, and --offline forbids to fetch them",
    "VK313": "a file of weights whose sha256 is not that of the catalogue",
    "VK314": "a download that broke off",
    "VK315": "no room for weights on the disk",
    "VK316": "a file of weights that would run code, and is not trusted",
    "VK317": "a source of weights that cannot be reached",
    "VK318": "a package that does not hold the weights it should",
    "VK319": "weights, or an entry of the catalogue, that cannot be read",
    "VK321": "a picture with more pixels than allowed",
}
"""Codes that say more than the exception that carries them."""


def stages_page() -> str:
    """Every stage by family, then every output."""
    families: dict[str, list[str]] = {}
    for name, target in stages().targets.items():
        if target.startswith("visionkit."):
            families.setdefault(target.split(".")[2], []).append(name)
    parts = ["# Stages and outputs", NOTE, "`visionkit stages NAME` shows the same in a terminal.", _index(families)]
    for family, names in sorted(families.items()):
        parts += [f"## Family {family}", _doc(importlib.import_module(f"visionkit.stages.{family}"))]
        parts += [_stage(name) for name in names]
    ours = [name for name, target in sinks().targets.items() if target.startswith("visionkit.")]
    parts += ["## Outputs", "What stands under `outputs:`; without it, `media` and `jsonl`."]
    parts += [_output(name) for name in ours]
    return "\n\n".join(parts) + "\n"


def _index(families: dict[str, list[str]]) -> str:
    rows = [
        f"| [{family}](#family-{family}) | {' '.join(f'[{name}](#{_anchor(name)})' for name in names)} |"
        for family, names in sorted(families.items())
    ]
    return "\n".join(["| family | stages |", "|---|---|", *rows])


def _anchor(name: str) -> str:
    return name.replace(".", "")


def _stage(name: str) -> str:
    stage = stages().get(name)
    words, example = _split(inspect.getdoc(stage) or "")
    ports = [f"{word} {text}" for word, text in wiring(stage).items()]
    parts = [f"### {name}", words, f"*{'; '.join(ports)}.*", _table(stage.Params)]
    return "\n\n".join(part for part in [*parts, f"```yaml\n{example}\n```" if example else ""] if part)


def _output(name: str) -> str:
    sink = sinks().get(name)
    words, _ = _split(inspect.getdoc(sink) or "")
    return "\n\n".join(part for part in [f"### {name}", words, _table(sink.Params)] if part)


def _split(doc: str) -> tuple[str, str]:
    """The words of a docstring as Markdown, and its example."""
    words, _, example = doc.partition("\nExample:\n")
    return _markdown(words).strip(), inspect.cleandoc(example)


def _doc(module: Any) -> str:
    return _markdown(inspect.getdoc(module) or "")


def _markdown(text: str) -> str:
    text = re.sub(r":\w+:`~?([^`]+)`", r"`\1`", text.replace("``", "`"))
    return re.sub(r"\nRaises:\n\s+(?:\w+): ", "\nFails where: ", text)


def _table(model: Any) -> str:
    rows = [
        f"| `{p.name}` | {_cell(p.type)} | {_cell(p.default.removeprefix('default '))} | {_cell(p.description)} |"
        for p in parameters(model)
    ]
    return "\n".join(["| parameter | type | default | |", "|---|---|---|---|", *rows]) if rows else ""


def _cell(text: str) -> str:
    return _markdown(text).replace("|", "\\|").replace("\n", " ")


def errors_page() -> str:
    """Every code of a problem in a pipeline file, the exceptions, and what the command line returns."""
    problems = [f"| {code} | {_cell(meaning)} |" for code, meaning in sorted(CODES.items())]
    kinds = sorted(_subclasses(errors.VisionkitError), key=lambda kind: (kind.code, kind.__name__))
    run = [f"| {code} | {meaning} |" for code, meaning in RUN.items()]
    rows = [f"| {kind.code} | `{kind.__name__}` | {_meaning(kind)} | {_exit(kind)} |" for kind in kinds]
    parts = [
        "# Errors",
        NOTE,
        "Every problem has a code that stays. `visionkit validate FILE` shows all problems of a file at once.",
        "## In a pipeline file",
        "\n".join(["| code | what is wrong |", "|---|---|", *problems]),
        "## Weights and inputs",
        "\n".join(["| code | what is wrong |", "|---|---|", *run]),
        "## Exceptions and exit codes",
        "`except visionkit.errors.VisionkitError` catches all of them. The last column is what `visionkit` returns.",
        "\n".join(["| code | exception | | exit code |", "|---|---|---|---|", *rows]),
        "0 is success; 3 means that all is done but some inputs failed, and `errors.jsonl` says which.",
    ]
    return "\n\n".join(parts) + "\n"


def _subclasses(kind: type[Any]) -> set[type[Any]]:
    below = {kind for kind in kind.__subclasses__() if kind.__module__ == errors.__name__}
    return below.union(*(_subclasses(kind) for kind in below)) if below else below


def _meaning(kind: type[Any]) -> str:
    return _cell((inspect.getdoc(kind) or "").partition("\n\n")[0])


def _exit(kind: type[Any]) -> int:
    return next((code for base, code in EXIT_CODES if issubclass(kind, base)), EXIT_FAILED)


PAGES = {"stages.md": stages_page, "errors.md": errors_page}


def main() -> None:
    """Writes both pages."""
    for name, page in PAGES.items():
        (DOCS / name).write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
