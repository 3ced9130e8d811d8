"""The mistakes people make: where it stands, what is wrong, what to do, all of a file in one go."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.language.mistakes import Seen, only, problems_of


def brief(problem: Seen) -> tuple[int, str, str]:
    """Line, code, and the text that stands at the place up to a comma, brace or bracket."""
    at = problem.at
    for end in ",}]":
        at = at.partition(end)[0]
    return problem.line, problem.code, at.strip()


def test_everything_wrong_in_a_file_is_said_in_one_go() -> None:
    text = """\
version: 1
vars: {n: 0}
stages:
  - detct: {min_score: 0.4}
  - detect: {id: cars, min_score: "0.4x", classes: car, top_k: 0}
  - filter.blur: {size: [3], on_error: maybe}
  - select: {where: age > 3}
  - draw.boxes: {in: cars, label: "{track_id} {plate.text}"}
  - filter.blur: {id: soft, when: any(cars.track_id > 3)}
  - filter.gamma: {in: sft}
  - for_each:
      in: cars
      as: car
      every: {frames: $n, per: track}
      until: car.score > 0.5
      stages:
        - classify: {id: kind, in: source}
      set: {kind: best(knd)}
  - use: {file: nothing.yaml}
outputs:
  - jsonl: {pth: x.jsonl}
"""
    assert [brief(p) for p in problems_of(text)] == [
        (4, "VK110", "detct: {min_score: 0.4"),
        (5, "VK112", '"0.4x"'),
        (5, "VK112", "car"),
        (5, "VK112", "0"),
        (6, "VK112", "["[:0] + "[3"),
        (6, "VK112", "maybe"),
        (7, "VK151", "age > 3"),
        (8, "VK151", "track_id"),
        (8, "VK151", "plate.text"),
        (9, "VK152", "track_id > 3)"),
        (10, "VK203", "sft"),
        (14, "VK117", "{frames: $n"),
        (15, "VK117", "car.score > 0.5"),
        (17, "VK203", "source"),
        (18, "VK151", "knd)"),
        (19, "VK116", "nothing.yaml"),
        (21, "VK111", "pth: x.jsonl"),
    ]


@pytest.mark.parametrize(
    ("stages", "at", "code", "message", "help_"),
    [
        # wrong names
        ("- edges.cany", "edges.cany", "VK110", "no stage 'edges.cany'", "did you mean 'edges.canny'"),
        ("- filter.blur: {sise: 3}", "sise", "VK111", "no parameter 'sise'", "did you mean 'size'?"),
        ("- detect: {weights: yolo11m}", "yolo11m", "VK114", "no weights are called", "did you mean 'yolo11n'"),
        ("- detect: {classes: [cra]}", "[cra]", "VK114", "'cra' is not a class", "did you mean 'cat' or 'car'?"),
        ("- filter.blur: {when: detct.count > 0}", "detct.count", "VK151", "no value named 'detct'", "'detect'?"),
        ("- draw.boxes: {in: {object: detect}}", "object", "VK205", "no input 'object'", "did you mean 'objects'?"),
        ("- filter.blur: {in: detct}", "detct", "VK203", "nothing before this has the id", "did you mean 'detect'?"),
        # wrong types
        ("- filter.blur: {size: 3.5}", "3.5", "VK112", "must be a whole number, got 3.5", ""),
        ("- filter.blur: {size: five}", "five", "VK112", "must be a whole number, got 'five'", ""),
        ("- detect: {agnostic: 3}", "3", "VK112", "must be true or false, got 3", ""),
        ("- detect: {classes: car}", "car", "VK112", "must be a list, got 'car'", "write a list: classes: [car]"),
        ("- detect: {min_score: 40}", "40", "VK112", "a probability from 0 to 1, got 40", "for 40 %, write 0.40"),
        ("- crop: {width: 100%}", "100%", "VK112", "must be a number, got '100%'", ""),
        ("- draw.boxes: {in: {objects: source}}", "source", "VK204", "takes detections, but 'source' is image", ""),
        ("- filter.blur: {when: detect.count}", "detect.count", "VK153", "must be true or false", "> 0"),
        ('- filter.blur: {when: detect.count == "3"}', '== "3"', "VK153", "compares a number with a text", "quotes"),
        (
            "- filter.blur: {when: detect.score > 1}",
            "detect.score",
            "VK153",
            "an answer per object",
            "any(detect.score",
        ),
        ("- filter.blur: {when: pts > source_name}", "> source_name", "VK153", "compares a number with a text", ""),
        # missing columns
        ("- select: {where: track_id > 3}", "track_id", "VK151", "no value named 'track_id'", "names here: area"),
        ("- filter.blur: {when: any(detect.age > 3)}", "age", "VK152", "has no column 'age'", "columns of detect"),
        ("- filter.blur: {when: source.score > 3}", "score", "VK152", "source (Image) has no column", "height, width"),
        ('- draw.boxes: {label: "{plate.text}"}', "plate.text", "VK151", "no value named 'plate'", "names here"),
        ('- draw.boxes: {label: "{class_name.text}"}', "text}", "VK152", "has no columns", "write class_name alone"),
        # wiring
        ("- track.sort: {in: []}", "[]", "VK105", "names no value", "leave it out"),
        (
            "- detect: {id: other, in: source}\n  - draw.boxes",
            "draw.boxes",
            "VK202",
            "could take detect and other",
            "in:",
        ),
        ("- zones.line: {lines: {a: [[0, 0], [1, 1]]}}", "zones.line", "VK204", "needs tracked objects", "track.byte"),
        # names
        ("- filter.blur: {id: 2x}", "2x", "VK109", "letters, digits and _", ""),
        ("- filter.blur: {id: index}", "index", "VK109", "packet's own names", ""),
        ("- filter.blur: {id: and}", "and", "VK109", "word of the language", ""),
        ("- filter.blur: {id: detect}", "detect", "VK109", "taken by an earlier stage", ""),
    ],
)
def test_a_mistake(stages: str, at: str, code: str, message: str, help_: str) -> None:
    problem = only(f"stages:\n  - detect\n  {stages}\n")
    assert problem.at.startswith(at)
    assert problem.code == code
    assert message in problem.message
    assert help_ in problem.help


@pytest.mark.parametrize(
    ("every", "message", "help_"),
    [
        ("0", "must be a whole number of frames from 1, got 0", ""),
        ("2.5", "must be a number of frames, or", ""),
        ("never", "must be a number of frames, or", ""),
        ("{frames: 5, seconds: 1}", "needs either frames or seconds", ""),
        ("{seconds: 0}", "must be a time above 0 s, got 0", ""),
        ("{seconds: .inf}", "must be a time above 0 s, got inf", ""),
        ("{seconds: .nan}", "must be a time above 0 s, got nan", ""),
        ("{frames: 1.5}", "must be a whole number of frames", ""),
        ("{frame: 5}", "must be a number of frames", "did you mean 'frames'?"),
        ("{frames: 5, per: source}", "per can only be track", ""),
    ],
)
def test_a_cadence_that_cannot_be(every: str, message: str, help_: str) -> None:
    problem = only(f"stages:\n  - toy.objects\n  - for_each:\n      every: {every}\n      stages: [filter.blur]\n")
    assert problem.at == every
    assert problem.code == "VK117"
    assert message in problem.message
    assert help_ in problem.help


def test_what_needs_identity_needs_a_tracker() -> None:
    head = """\
stages:
  - detect
  - for_each:
      as: car
      stages: [classify: {id: kind}]
      set: {kind: vote(kind)}
"""
    for line in ("every: {frames: 5, per: track}", "until: car.kind.score > 0.9", "when: car.kind.score is null"):
        problem = only(f"{head}      {line}\n")
        assert (problem.code, problem.at) == ("VK117", line.partition(": ")[2])
        assert "track.bytetrack" in problem.help
    assert problems_of(head) == []
    tracked = head.replace("- detect\n", "- toy.objects\n") + "      until: car.kind.score > 0.9\n"
    assert problems_of(tracked) == []


def test_a_nested_list_has_no_cadence() -> None:
    text = "stages: [toy.objects, for_each: {stages: [toy.objects, for_each: {every: 5, stages: [toy.noop]}]}]"
    assert "no cadence of its own" in only(text).message


def test_columns_belong_to_the_value_that_for_each_made() -> None:
    """``set`` makes a new value: what comes before it, and other values, lack its columns."""
    head = """\
stages:
  - toy.objects: {id: tracks}
  - detect: {id: others, in: source}
  - for_each: {id: read, in: tracks, stages: [toy.score: {id: got}], set: {plate: best(got)}}
"""
    assert problems_of(head + "  - filter.blur: {when: any(read.plate.score > 0.5)}\n") == []
    for name in ("tracks", "others"):
        problem = only(head + f"  - filter.blur: {{when: any({name}.plate.score > 0.5)}}\n")
        assert (problem.code, problem.line, problem.at.partition(" ")[0]) == ("VK152", 5, "plate.score")
        assert f"{name} (Detections) has no column 'plate'" in problem.message
        assert f"columns of {name}" in problem.help
    problem = only(head + '  - draw.boxes: {in: {objects: others}, label: "{plate.score}"}\n')
    assert problem.code == "VK151"
    problem = only(head + "  - filter.blur: {when: any(read.plate.text == 'a')}\n")
    assert "read.plate (Scores) has no column 'text'" in problem.message


def test_set_says_what_a_column_may_be_called() -> None:
    text = "stages: [toy.objects, for_each: {stages: [toy.score: {id: got}], set: {%s: got.value}}]"
    for name in ("x1", "count", "track_id", "class_id", "area"):
        assert "objects have already" in only(text % name).message
    for name in ("score", "class_name", "plate"):
        assert problems_of(text % name) == []


@pytest.mark.parametrize(
    ("line", "at"),
    [
        ("- filter.blur: {when: max(detect.score, 3) > 2}", [", 3) > 2}", "3) > 2}"]),
        ("- select: {where: class_name in [car, truck]}", None),
        ('- select: {where: class_name in ["car"]}', None),
        ("- draw.boxes: {label: {class_name}}", ["{class_name}}"]),
        ("- draw.boxes: {label: {class_name} {score}}", None),
        ("- draw.boxes:\n      label: #{class_name}", [" #{class_name}"]),
        ("- filter.blur:\n      when: # later", [" # later"]),
        ("- filter.blur: {when: [detect.count > 3]}", ["[detect.count > 3]}"]),
        ("- filter.blur: {when: {detect.count > 3}}", ["{detect.count > 3}}"]),
        ("- draw.boxes: {label: @{class_name}}", None),
        ("- draw.boxes: {label: %{class_name}}", None),
        ("- draw.boxes:\n      label: {class_name}: {score}", None),
    ],
)
def test_missing_quotes_get_the_advice_to_put_them(line: str, at: list[str] | None) -> None:
    problems = problems_of(f"stages:\n  - detect\n  {line}\n")
    assert any("put quotes around" in p.help for p in problems), problems
    assert all("put quotes around" in p.help for p in problems), problems
    if at is not None:
        assert [p.at for p in problems] == at


@pytest.mark.parametrize(
    ("text", "help_"),
    [
        ("stages:\n\t- detect\n", "indent with spaces: YAML takes no tabs"),
        ("stages:\n  - filter.blur:\n\t  size: 3\n", "indent with spaces: YAML takes no tabs"),
        ("stages:\n  - filter.blur: {size: 3}\n - edges.canny\n", "check the indentation"),
        ("stages:\n  - filter.resize: {width: 3}\n {width: 0}\n", "check the indentation"),
        ("stages:\n  - filter.blur:\n      size: 3\n     sigma: 3\n", "check the indentation"),
        ("vars: {a: 1}\n  stages:\n  - detect\n", "check the indentation"),
        ("stages:\n  - filter.blur: size: 3\n", "stand in braces: filter.blur: {size: 3}"),
        ("stages:\n  - draw.boxes:\n      label: {class_name} {score}\n", "put quotes around it"),
        ("stages:\n  - draw.boxes:\n      label: score: high\n", "put quotes around it"),
    ],
)
def test_syntax_errors_get_the_help_that_fits(text: str, help_: str) -> None:
    problem = only(text)
    assert problem.code == "VK101"
    assert help_ in problem.help


def test_positions_are_exact_where_the_text_stands_as_it_is_and_never_wrong() -> None:
    def at(value: str) -> str:
        return only(f"vars: {{long: detect.count}}\nstages:\n  - detect\n  - filter.blur:\n      when: {value}\n").at

    assert at("detect.count > nothing") == "nothing"
    assert at("'detect.count > nothing'") == "nothing'"
    assert at('"detect.count > nothing"') == 'nothing"'
    assert at("'any(detect.class_name == \"a\") and nothing'") == "nothing'"
    # escapes, variables and several lines move columns: then the text as a whole is shown
    assert at('"detect\\x2ecount > nothing"') == '"detect\\x2ecount > nothing"'
    assert at("$long > nothing") == "$long > nothing"
    assert at("detect.count > $long + nothing").startswith("$long")
    assert at(">-\n        detect.count >\n        nothing") == ">-"
    assert at("detect.count >\n        nothing") == "detect.count >"


def test_the_cause_of_a_wrong_file_is_not_said_twice() -> None:
    """A stage that is not there leaves no trail of errors behind it."""
    text = """\
stages:
  - %s: {%s}
  - track.sort: {id: tracks}
  - select: {in: cars, where: height > 3}
  - draw.boxes: {in: cars, label: "{score}", when: any(cars.score > 0.5)}
  - for_each: {in: tracks, as: car, when: cars.count > 3, stages: [classify: {id: kind}], set: {kind: kind}}
outputs: [media: {when: cars.count > 0}, jsonl: {in: cars}]
"""
    assert only(text % ("detct", "id: cars")).code == "VK110"
    assert only(text % ("detect", "id: cars, min_scor: 3")).code == "VK111"
    nested = "stages: [toy.objects, for_each: {stages: [clasify: {id: kind}], set: {kind: vote(kind), s: kind.score}}]"
    assert only(nested).code == "VK110"


def test_a_stage_that_is_switched_off_is_missed_by_name() -> None:
    text = "vars: {on: false}\nstages: [detect: {id: cars, enabled: $on}, filter.blur: {when: cars.count > 3}]"
    assert "enabled" in only(text).help
    text = "vars: {on: false}\nstages: [detect: {id: cars, enabled: $on}, draw.boxes: {in: cars}]"
    assert "enabled" in only(text).help


def test_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "vars: {size: 3, 2x: 4, on: [1]}\nstages:\n  - filter.blur: {size: $sise}\n  - filter.blur: {size: $on}\n"
    found = problems_of(text)
    assert [(p.line, p.code) for p in found] == [(1, "VK109"), (3, "VK107"), (4, "VK112")]
    assert "did you mean 'size'?" in found[1].help
    monkeypatch.setenv("VISIONKIT_VAR_size", "4")
    assert "got 4" in only("vars: {size: 3}\nstages: [filter.blur: {size: $size}]").message


def test_an_export_that_is_not_there() -> None:
    assert only("stages: [filter.blur]\nexports: [filter_blr]").help == "did you mean 'filter_blur'?"
    assert only("stages: [filter.blur]\nexports: [source]").code == "VK203"


@pytest.mark.parametrize(
    ("outputs", "at", "message"),
    [
        ("[media, media]", "media]", "'media' and 'media_2' have the same path '{source.relpath}'"),
        ("[csv: {path: a.txt}, jsonl: {path: a.txt}]", "jsonl", "'csv' and 'jsonl' have the same path 'a.txt'"),
        ('[media: {path: ""}]', '""', "the output path '' names no file"),
        ("[media: {path: '../{source.relpath}'}]", "'../", "'../{source.relpath}' leads out of the output folder"),
        ("[media: {path: '{source.stem}/../../x'}]", "'{source", "leads out of the output folder"),
        ("[csv: {path: /tmp/abs.csv}]", "/tmp/abs.csv", "'/tmp/abs.csv' leads out of the output folder"),
    ],
)
def test_outputs_that_no_run_would_write(outputs: str, at: str, message: str) -> None:
    problem = only(f"stages: [filter.blur]\noutputs: {outputs}\n")
    assert (problem.line, problem.code) == (2, "VK112")
    assert problem.at.startswith(at)
    assert message in problem.message


def test_files_that_are_not_there(tmp_path: Path) -> None:
    (tmp_path / "labels").mkdir()
    (tmp_path / "night.jpg").touch()
    path = tmp_path / "p.yaml"
    path.write_text("stages:\n  - labels: {path: lables}\n  - style.arbitrary: {style: nigt.jpg}\n")
    found = problems_of(path)
    assert [(p.line, p.code, p.at) for p in found] == [(2, "VK112", "lables}"), (3, "VK112", "nigt.jpg}")]
    assert [p.help for p in found] == ["did you mean 'labels'?", "did you mean 'night.jpg'?"]
    path.write_text(f"stages:\n  - labels: {{path: {'x' * 300}}}\n")
    assert "there is no file or folder" in only(path).message
    path.write_text("stages:\n  - labels: {path: labels}\n  - style.arbitrary: {style: night.jpg}\n")
    assert problems_of(path) == []


def test_all_that_is_wrong_in_one_stage_or_one_mapping_is_said_at_once() -> None:
    found = problems_of('stages:\n  - detect\n  - draw.boxes: {label: "{clas_name}", color: purpleish}\n')
    assert [p.code for p in found] == ["VK151", "VK112"]
    found = problems_of("stages:\n  - filter.blur: {size: 3, size: 5}\n  - filter.gamma: {gamma: 1, gamma: 2}\n")
    assert [(p.line, p.code) for p in found] == [(2, "VK103"), (3, "VK103")]
    assert [p.code for p in problems_of('stages: [detect, draw.boxes: {label: "$no {clas}", colour: red}]')] == [
        "VK107"
    ]


def test_a_pipeline_without_a_stage() -> None:
    problem = only("stages: []\noutputs: [media]\n")
    assert (problem.code, problem.at) == ("VK105", "[]")
    assert "at least one stage" in problem.message
