"""``python -m benchmarks``: what it refuses, runs in parts, peers that are out of date, what a table says of itself."""

from __future__ import annotations

import sys
from itertools import count
from pathlib import Path
from types import SimpleNamespace

import pytest

from benchmarks import __main__ as command
from benchmarks import machine, peers
from benchmarks.suites import SUITES, Settings
from benchmarks.table import Table
from benchmarks.timing import Figure, Sample


def called(monkeypatch: pytest.MonkeyPatch, *words: object) -> int:
    monkeypatch.setattr(sys, "argv", ["benchmarks", *map(str, words)])
    return command.main()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nosuch"], "no suite 'nosuch', but engine, filter"),
        (["engine", "-n", "0"], "begin with 1"),
        (["video", "--frames", "0"], "begin with 1"),
        (["video", "--data", "/nowhere"], "no videos"),
    ],
)
def test_what_is_refused(words, said, monkeypatch, capsys) -> None:
    with pytest.raises(SystemExit) as ended:
        called(monkeypatch, *words)
    assert ended.value.code == 2
    assert said in capsys.readouterr().err


def test_a_suite_that_fails_leaves_the_others_theirs(tmp_path, monkeypatch, capsys) -> None:
    def failing(*_: object) -> None:
        raise RuntimeError("no network")

    suites = {
        SUITES["video"]: SimpleNamespace(run=failing),
        SUITES["track"]: SimpleNamespace(run=lambda table, _: table.add("one", Figure(1, 1, 1), "s")),
    }
    monkeypatch.setattr(command.importlib, "import_module", lambda name: suites[name])
    assert called(monkeypatch, "video", "track", "-o", tmp_path, "--work", tmp_path / "work") == 1
    assert "video failed: no network" in capsys.readouterr().err
    assert sorted(path.name for path in tmp_path.glob("*.md")) == ["track.md"]


def test_runs_in_parts_are_of_one_input(tmp_path: Path) -> None:
    ticks = count(1)
    jobs = {name: lambda: Sample(next(ticks), 0.0) for name in ("a", "b")}
    Settings(2, tmp_path, frames=60).measured("suite", jobs)
    found = Settings(3, tmp_path, frames=60, more=True).measured("suite", jobs)
    assert [len(samples) for samples in found.values()] == [5, 5]
    with pytest.raises(RuntimeError, match="another --data or --frames"):
        Settings(3, tmp_path, frames=80, more=True).measured("suite", jobs)
    again = Settings(1, tmp_path, frames=80).measured("suite", jobs)
    assert [len(samples) for samples in again.values()] == [1, 1]


@pytest.mark.parametrize(("rounds", "bracket"), [(5, "all that was seen"), (6, "the interval that holds the median")])
def test_few_runs_bound_no_median(rounds: int, bracket: str) -> None:
    assert f"Medians of {rounds} runs in turn; in brackets {bracket}" in Table("a", "", rounds).markdown()


def test_the_table_has_the_versions_of_all_peers() -> None:
    wanted = {package for packages in peers.PACKAGES.values() for package in packages}
    assert wanted <= {*machine.WORKERS, *machine.PEERS}


def test_an_environment_is_made_anew_for_other_versions(tmp_path, monkeypatch) -> None:
    versions, made = {"ultralytics": "1.0"}, []
    monkeypatch.setattr(peers, "_version", lambda package: versions.get(package, ""))

    def checked(line: list[str]) -> None:
        (tmp_path / "peers" / "ultralytics").mkdir(parents=True, exist_ok=True)
        made.append(line[-4:])

    monkeypatch.setattr(peers, "_checked", checked)
    for number in ("1.0", "1.0", "2.0"):
        versions["ultralytics"] = number
        peers.environment(tmp_path, "ultralytics")
    assert [line[0] for line in made[1::2]] == ["ultralytics==1.0", "ultralytics==2.0"]
