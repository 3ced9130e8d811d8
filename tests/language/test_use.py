"""``use:``: a pipeline inside a pipeline: variables, exports, wires, errors inside, circles."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.language.mistakes import good, only, problems_of
from visionkit import Pipeline
from visionkit.pipeline.compile import CompileOptions, compile_file
from visionkit.pipeline.explain import mermaid, table
from visionkit.pipeline.plan import Plan, StageNode

SOFT = """\
vars: {size: 3, on: true}
stages:
  - filter.blur: {size: $size}
  - filter.gamma: {gamma: 2.0, enabled: $on}
exports: [filter_gamma]
"""


def write(folder: Path, **files: str) -> Path:
    """Writes ``name.yaml`` files; the path of ``main.yaml``."""
    for name, text in files.items():
        path = folder / f"{name.replace('__', '/')}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder / "main.yaml"


def node(plan: Plan, id_: str) -> Any:
    return next(n for n in plan.root.nodes if n.id == id_)


def values(plan: Plan) -> dict[str, Any]:
    return {v.id: v for v in plan.root.values}


def test_stages_join_the_plan_and_the_export_takes_the_id(tmp_path: Path) -> None:
    main = write(tmp_path, soft=SOFT, main="stages:\n  - use: {file: soft.yaml, id: soft}\n  - edges.canny\n")
    plan = good(main)
    assert [n.id for n in plan.root.nodes] == ["soft.filter_blur", "soft.filter_gamma", "edges_canny"]
    found = values(plan)
    assert node(plan, "edges_canny").bindings[0].slots == (found["soft"].slot,)
    assert found["soft"].producer == "soft.filter_gamma"
    assert "soft.filter_blur" in found, "what is inside can be named, though nothing takes it by itself"
    assert "soft_filter_gamma --> edges_canny" in mermaid(plan)
    assert "soft.filter_gamma" in table(plan)


def test_pixels_equal_those_of_the_stages_written_out(tmp_path: Path) -> None:
    main = write(
        tmp_path,
        soft=SOFT,
        main="stages:\n  - use: {file: soft.yaml, id: soft, vars: {size: 7}}\n  - use: {file: soft.yaml}\n",
    )
    flat = """
stages:
  - filter.blur: {size: 7}
  - filter.gamma: {gamma: 2.0}
  - filter.blur: {size: 3}
  - filter.gamma: {id: last, gamma: 2.0}
"""
    picture = np.random.default_rng(1).integers(0, 256, (40, 50, 3), dtype=np.uint8)
    (used,) = Pipeline.load(main).run(picture)
    (written,) = Pipeline.from_text(flat).run(picture)
    assert (used["use"].bgr() == written["last"].bgr()).all()


def test_variables_of_the_including_file_stay_its_own(tmp_path: Path) -> None:
    text = (
        "vars: {size: 9, n: 5}\nstages:\n  - filter.blur: {size: $size}\n  - use: {file: soft.yaml, vars: {size: $n}}\n"
    )
    main = write(tmp_path, soft=SOFT, main=text)
    plan = compile_file(main, CompileOptions({"size": 11}))
    assert node(plan, "filter_blur").params.size == 11
    assert node(plan, "use.filter_blur").params.size == 5


def test_enabled_inside_follows_a_variable(tmp_path: Path) -> None:
    soft = SOFT.replace("exports: [filter_gamma]", "exports: [filter_blur]")
    main = write(tmp_path, soft=soft, main="stages:\n  - use: {file: soft.yaml, vars: {on: false}}\n")
    assert [n.id for n in good(main).root.nodes] == ["use.filter_blur"]


def test_several_exports_get_names_of_their_own(tmp_path: Path) -> None:
    two = "stages:\n  - detect: {id: cars}\n  - filter.blur: {id: soft, in: source}\nexports: [cars, soft]\n"
    main = write(
        tmp_path,
        two=two,
        main="stages:\n  - use: {file: two.yaml, id: u}\n  - draw.boxes: {when: u_cars.count > 0}\n",
    )
    plan = good(main)
    found = values(plan)
    draw = node(plan, "draw_boxes")
    assert {b.port: b.slots for b in draw.bindings} == {
        "image": (found["u_soft"].slot,),  # the export hides the picture it was made from
        "objects": (found["u_cars"].slot,),
    }
    assert draw.when.slots == {"u_cars": found["u_cars"].slot}


def test_in_names_the_picture_that_goes_in(tmp_path: Path) -> None:
    text = "stages: [filter.blur: {id: a}, use: {file: soft.yaml, in: source, id: b}, draw.sidebyside: {in: [a, b]}]"
    plan = good(write(tmp_path, soft=SOFT, main=text))
    assert node(plan, "b.filter_blur").bindings[0].slots == (0,)


def test_nested_use_and_use_in_for_each(tmp_path: Path) -> None:
    plan = good(
        write(
            tmp_path,
            parts__inner="vars: {size: 3}\nstages: [filter.blur: {size: $size}]\nexports: filter_blur\n",
            parts__outer="stages: [use: {file: inner.yaml, id: i, vars: {size: 5}}, filter.gamma]\n"
            "exports: [filter_gamma]\n",
            main="""
stages:
  - use: {file: parts/outer.yaml, id: o}
  - toy.objects
  - for_each:
      stages:
        - use: {file: parts/inner.yaml, id: soft}
        - toy.score: {id: got}
      set: {value: got.value}
""",
        )
    )
    assert [n.id for n in plan.root.nodes] == ["o.i.filter_blur", "o.filter_gamma", "toy_objects", "for_each"]
    assert node(plan, "o.i.filter_blur").params.size == 5
    body = node(plan, "for_each").body.nodes
    assert [n.id for n in body] == ["soft.filter_blur", "got"]
    assert body[1].bindings[0].slots == body[0].outputs


def test_a_for_each_inside_exports_its_children(tmp_path: Path) -> None:
    inner = """
stages:
  - toy.objects: {id: things}
  - for_each: {id: each, in: things, stages: [toy.objects: {id: parts}]}
exports: [each, each.parts]
"""
    main = write(
        tmp_path,
        inner=inner,
        main="stages:\n  - use: {file: inner.yaml, id: u}\n  - draw.boxes: {in: {objects: u_each.parts}}\n",
    )
    assert {"u_each", "u_each.parts"} <= set(values(good(main)))


def test_weights_are_relative_to_the_file_that_names_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    main = write(
        tmp_path,
        parts__find="stages: [detect: {weights: nets/mine.onnx}]\nexports: [detect]\n",
        main="stages:\n  - use: {file: parts/find.yaml}\n  - detect: {in: source, weights: mine.onnx}\n",
    )
    (tmp_path / "parts" / "nets").mkdir()
    for path in (tmp_path / "parts" / "nets" / "mine.onnx", tmp_path / "mine.onnx"):
        path.write_bytes(b"weights")
    monkeypatch.chdir("/")
    plan = good(main)
    used = [n.params.weights for n in plan.root.nodes if isinstance(n, StageNode)]
    assert used == [str(tmp_path / "parts" / "nets" / "mine.onnx"), str(tmp_path / "mine.onnx")]
    before = plan.hash
    (tmp_path / "mine.onnx").write_bytes(b"other weights")
    assert good(main).hash != before, "the plan's hash knows when a file of weights has changed"


def test_missing_weights_of_an_included_file(tmp_path: Path) -> None:
    inner = "stages:\n  - detect: {weights: nets/mine.onnx}\nexports: [detect]\n"
    problem = only(write(tmp_path, inner=inner, main="stages: [use: {file: inner.yaml}]"))
    assert (problem.file, problem.line, problem.code) == ("inner.yaml", 2, "VK114")
    assert problem.at.startswith("nets/mine.onnx")


def test_errors_inside_are_shown_inside_together_with_those_outside(tmp_path: Path) -> None:
    inner = "vars: {size: 4}\nstages:\n  - filter.blur: {size: $size}\n  - detect: {min_score: 40}\nexports: [detct]\n"
    text = "stages:\n  - use: {file: inner.yaml, vars: {sise: 3}, when: index > 3}\n  - filter.blurr\n"
    found = problems_of(write(tmp_path, inner=inner, main=text))
    assert [(p.file, p.line, p.code) for p in found] == [
        ("inner.yaml", 3, "VK112"),
        ("inner.yaml", 4, "VK112"),
        ("inner.yaml", 5, "VK203"),
        ("main.yaml", 2, "VK107"),
        ("main.yaml", 2, "VK111"),
        ("main.yaml", 3, "VK110"),
    ]
    assert found[2].help == "did you mean 'detect'?"
    assert found[3].at.startswith("sise")
    assert "did you mean 'size'?" in found[3].help
    assert "on the stages inside" in found[4].help


def test_a_syntax_error_inside_stands_with_the_other_problems(tmp_path: Path) -> None:
    found = problems_of(
        write(tmp_path, inner="stages: [a: {b]", main="stages:\n  - use: {file: inner.yaml}\n  - nothing\n")
    )
    assert [(p.file, p.line, p.code) for p in found] == [("inner.yaml", 1, "VK101"), ("main.yaml", 3, "VK110")]


@pytest.mark.parametrize(
    ("use", "at", "code", "message"),
    [
        ("{file: no.yaml}", "no.yaml", "VK116", "No such file"),
        ("{file: .}", ".", "VK116", "is no file"),
        ("{vars: {}}", "use", "VK113", "must be given"),
        ("{file: [a]}", "[a]", "VK113", "must be given"),
        ("{file: soft.yaml, vars: 3}", "3", "VK105", "mapping of names"),
        ("{file: list.yaml}", "list.yaml", "VK116", "is not a pipeline"),
        ("{file: mute.yaml}", "use", "VK116", "does not say what it exports"),
        ("{file: empty.yaml}", "use", "VK116", "does not say what it exports"),
        ("{file: soft.yaml, fil: 3}", "fil", "VK111", "has no key 'fil'"),
        ("{file: soft.yaml, on_error: stop}", "on_error", "VK111", "has no key 'on_error'"),
        ("{file: soft.yaml, in: nothing}", "nothing", "VK203", "nothing before this"),
        ("{file: soft.yaml, in: {picture: source}}", "picture", "VK205", "no input 'picture'"),
        ("{file: $file}", "$file", "VK107", "is not defined"),
    ],
)
def test_mistakes(tmp_path: Path, use: str, at: str, code: str, message: str) -> None:
    files = {"soft": SOFT, "list": "- detect\n", "mute": "stages: [filter.blur]\n", "empty": "stages: []\n"}
    problems = problems_of(write(tmp_path, **files, main=f"stages:\n  - use: {use}\n"))
    problem = problems[0]
    assert problem.at.startswith(at)
    assert problem.code == code
    assert message in problem.message
    assert problem.file == "main.yaml"


def test_circles_of_two_and_three_files_are_refused_with_the_chain(tmp_path: Path) -> None:
    link = "stages: [use: {file: %s.yaml}]\nexports: [use]\n"
    main = write(
        tmp_path, main=link % "two", two=link % "main", a=link % "b", b=link % "c", c=link % "a", own=link % "own"
    )
    (problem,) = [p for p in problems_of(main) if p.code == "VK116"]
    assert problem.message == "includes itself: main.yaml → two.yaml → main.yaml"
    assert (problem.file, problem.at) == ("two.yaml", "main.yaml}]")
    (problem,) = [p for p in problems_of(tmp_path / "a.yaml") if p.code == "VK116"]
    assert problem.message == "includes itself: a.yaml → b.yaml → c.yaml → a.yaml"
    assert problem.file == "c.yaml"
    (problem,) = [p for p in problems_of(tmp_path / "own.yaml") if p.code == "VK116"]
    assert problem.message == "includes itself: own.yaml → own.yaml"


def test_a_circle_under_other_names_is_one(tmp_path: Path) -> None:
    link = "stages: [use: {file: %s}]\nexports: [use]\n"
    main = write(tmp_path, main=link % "a/../b.yaml", b=link % "./main.yaml")
    (tmp_path / "a").mkdir()
    (tmp_path / "other.yaml").symlink_to(main)
    assert any("includes itself" in p.message for p in problems_of(main))
    assert any("includes itself" in p.message for p in problems_of(tmp_path / "other.yaml"))


def test_includes_cannot_explode(tmp_path: Path) -> None:
    """Each file uses the next one three times: without a bound, 3 ** 9 files."""
    files = {f"f{i}": "stages:\n" + f"  - use: {{file: f{i + 1}.yaml}}\n" * 3 + "exports: [use]\n" for i in range(9)}
    found = problems_of(write(tmp_path, **files, f9=SOFT, main="stages: [use: {file: f0.yaml}]"))
    assert any("more than 100 included files" in p.message for p in found)
    deep = {f"d{i}": f"stages: [use: {{file: d{i + 1}.yaml}}]\nexports: [use]\n" for i in range(20)}
    found = problems_of(write(tmp_path, **deep, d20=SOFT, main="stages: [use: {file: d0.yaml}]"))
    assert any("deeper than 10 files" in p.message for p in found)


def test_names_of_exports_do_not_collide(tmp_path: Path) -> None:
    two = "stages: [filter.blur: {id: a}, filter.blur: {id: b, in: source}]\nexports: [a, b]\n"
    main = write(
        tmp_path, two=two, main="stages: [filter.blur: {id: u_a}, use: {file: two.yaml, id: u}]\noutputs: []\n"
    )
    assert (only(main).code, only(main).where) == ("VK109", "use")
    main = write(
        tmp_path,
        two=two,
        main="stages: [use: {file: two.yaml, id: u}, filter.blur: {id: u, in: source}]\noutputs: []\n",
    )
    assert only(main).message == "the id 'u' is taken by an earlier stage"


def test_a_picture_off_the_frame_stays_off_it(tmp_path: Path) -> None:
    """Two mosaics made by the same file are two planes."""
    inner = "stages: [draw.mosaic]\nexports: [draw_mosaic]\n"
    main = write(
        tmp_path,
        inner=inner,
        main="stages:\n  - use: {file: inner.yaml, id: a}\n  - detect: {in: a}\n"
        "  - use: {file: inner.yaml, id: b, in: source}\n  - draw.boxes: {in: {image: b, objects: detect}}\n",
    )
    assert "VK206" in [p.code for p in problems_of(main)]
