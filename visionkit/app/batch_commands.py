"""``visionkit status``, and the options of ``run`` that are about earlier runs."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path
from typing import Annotated, Any

import typer

from visionkit.errors import UsageError

Resume = Annotated[
    bool,
    typer.Option(
        help="Go on with what an earlier run of this pipeline did in the folder for results: inputs that are done and "
        "have not changed are skipped. --no-resume: results that are there are an error; --overwrite: begin anew.",
    ),
]
RetryFailed = Annotated[bool, typer.Option("--retry-failed", help="When going on: try failed inputs once more.")]
Shard = Annotated[
    str, typer.Option(metavar="I/N", help="Only the I-th of N parts of the inputs, each into a folder of its own.")
]

EngineName = Annotated[
    str,
    typer.Option("--engine", metavar="NAME", help="local, or ray: files and folders are done on a cluster."),
]
RayAddress = Annotated[
    str,
    typer.Option(
        metavar="HOST:PORT",
        help="With --engine ray: the head of a cluster, or auto; otherwise one is made on this machine.",
    ),
]
Report = Annotated[
    bool, typer.Option("--report", help="Write report.html beside the results: one file, to be looked at in a browser.")
]


def parse_shard(text: str) -> tuple[int, int] | None:
    """The text 2/8 as (2, 8).

    Raises:
        UsageError: not two numbers, or the first is not from 1 to the second.
    """
    if not text:
        return None
    first, _, second = text.partition("/")
    if not (first.isdecimal() and second.isdecimal() and 1 <= int(first) <= int(second)):
        raise UsageError(f"--shard takes I/N with I from 1 to N, such as 1/4, got {text!r}")
    return int(first), int(second)


def parse_engine(engine: str, address: str) -> dict[str, Any]:
    """The options as :class:`~visionkit.runtime.batch.BatchOptions` has them.

    Raises:
        UsageError: there is no such engine, or an address for none.
    """
    if engine not in ("local", "ray"):
        raise UsageError(f"--engine must be local or ray, got {engine!r}")
    if address and engine != "ray":
        raise UsageError("--ray-address goes with --engine ray")
    return {"engine": engine, "address": address}


def status(
    where: Annotated[str, typer.Argument(metavar="OUT", help="What was given to run as --out.")],
    json_: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> int:
    """Say how far a run has come, and which inputs failed.

    Also while it runs.
    """
    from visionkit.media.remote.target import target
    from visionkit.runtime.manifest import Manifest, is_running, manifest_path

    out = target(where).folder
    if not manifest_path(out).is_file():
        raise UsageError(f"{out}: no run on files has written here", help="name the folder given to run with -o")
    with closing(Manifest(out, readonly=True)) as manifest:
        counts, failures, begun = manifest.counts(), manifest.failures(), manifest.get("begun")
    running = is_running(out)
    if json_:
        rows = [{"source": row.name, "attempts": row.attempts, "error": row.error} for row in failures]
        typer.echo(json.dumps({**counts, "running": running, "begun": begun, "failures": rows}))
        return 0
    state = "runs" if running else "finished" if not counts["pending"] else "stopped before the end"
    typer.echo(f"{out}: {state}, begun {begun}")
    typer.echo(", ".join(f"{n} {name}" for name, n in counts.items()) + f" of {sum(counts.values())}")
    for row in failures:
        typer.echo(f"  failed: {row.name} ({row.attempts}x): {row.error}")
    if counts["failed"] > len(failures):
        typer.echo(f"  ... and {counts['failed'] - len(failures)} more, see errors.jsonl")
    return 0


def report(
    out: Annotated[Path, typer.Argument(help="The folder for results of a run.")],
    target: Annotated[Path | None, typer.Option("--to", help="The file; otherwise OUT/report.html.")] = None,
    gallery: Annotated[int, typer.Option(min=0, help="So many pictures are shown.")] = 100,
) -> int:
    """Write one HTML file about a run on files.

    With totals, classes, scores, times, failures and a gallery.
    """
    from visionkit.app.report_html import write_report

    typer.echo(str(write_report(out, gallery, target)))
    return 0
