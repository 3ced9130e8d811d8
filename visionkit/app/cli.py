"""``visionkit``: the command line.

Exit codes: 0 all done · 1 an unexpected error · 2 a wrong command line · 3 done, but some inputs failed (see
errors.jsonl) · 4 the pipeline file is wrong · 5 an output could not be written · 6 weights or a package are missing ·
7 an input could not be opened · 8 a stage failed with ``on_error: stop`` · 130 interrupted.
"""

from __future__ import annotations

import gc
import importlib
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import typer

from visionkit import __version__, errors
from visionkit.app.exit_codes import EXIT_FAILED, EXIT_INTERRUPTED, EXIT_USAGE, exit_code

COMMANDS = {
    "run": "run",
    "demo": "run",
    "live": "live",
    "profile": "profile",
    "tune": "tune",
    "status": "batch",
    "report": "batch",
    "validate": "inspect",
    "explain": "inspect",
    "schema": "inspect",
    "stages": "inspect",
    "new": "inspect",
    "doctor": "inspect",
    "licences": "inspect",
    "train": "train",
    "imagine": "train",
}
"""Each command and the module it is written in, of ``visionkit.app.NAME_commands``."""
ClickException: Any = next(kind for kind in typer.BadParameter.__mro__ if kind.__name__ == "ClickException")
"""The root of typer's own errors, whichever click it was built on."""

app = typer.Typer(
    name="visionkit",
    help="Chain computer-vision stages with one declarative file.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # rich's frames take as long as all the rest of --help
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=(__doc__ or "").partition("\n\n")[2].replace("\n", " "),
)


def _version(value: bool) -> None:
    if value:
        typer.echo(f"visionkit {__version__}")
        raise typer.Exit


@dataclass
class Settings:
    """What is said before the command."""

    debug: bool = False


@app.callback()
def _options(
    context: typer.Context,
    _: bool = typer.Option(False, "--version", callback=_version, is_eager=True, help="Print the version."),
    debug: bool = typer.Option(
        False, "--debug", envvar="VISIONKIT_DEBUG", help="Show the whole traceback of an error."
    ),
) -> None:
    context.obj.debug = debug


def _register(arguments: list[str]) -> None:
    """Adds the commands; the one that is called alone, where the first argument names it, since building costs time."""
    called = arguments[0] if arguments else ""
    alone = called in COMMANDS or called == "weights"
    if called == "weights" or not alone:
        app.add_typer(_module("weights").weights, name="weights")
    for name, module in COMMANDS.items():
        if name == called or not alone:
            app.command(name)(getattr(_module(module), name))


def _module(name: str) -> Any:
    return importlib.import_module(f"visionkit.app.{name}_commands")


def main() -> None:
    """The console script."""
    if any("://" in argument for argument in sys.argv):
        from visionkit.app.process_title import hide_credentials

        hide_credentials()
    gc.set_threshold(10_000)  # nearly all that is made at the start stays: looking through it again and again costs 5 %
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")  # looking for them costs a tenth of the start
    _register(sys.argv[1:])
    settings = Settings()
    sys.exit(guarded(lambda: app(standalone_mode=False, obj=settings), settings))


def guarded(command: Callable[[], Any], settings: Settings) -> int:
    """Runs a command; whatever it raises is printed as a person can use it, and becomes an exit code."""
    try:
        result = command()
    except typer.Exit as stop:
        return stop.exit_code
    except ClickException as error:
        error.show()
        return EXIT_USAGE
    except (KeyboardInterrupt, typer.Abort):
        typer.echo("interrupted", err=True)
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        return EXIT_FAILED
    except errors.VisionkitError as error:
        _print_error(error)
        if settings.debug:
            _print_traceback(error)
        return exit_code(error)
    except Exception as error:  # noqa: BLE001  the last resort of the command line
        _print_traceback(error) if settings.debug else _print_unexpected(error)
        return EXIT_FAILED
    return result if isinstance(result, int) else 0


def _print_error(error: errors.VisionkitError) -> None:
    if isinstance(error, errors.PipelineError):
        count = len(error.problems)
        _print(f"{error}\n\n{count} problem{'s' if count > 1 else ''}")
        return
    _print(f"{error.code}  {error.message}")
    for line in error.help.splitlines():
        _print(f"  help: {line}")


def _print(text: str) -> None:
    """To stderr, without the passwords that libraries put into their messages."""
    from visionkit.media.redact import redact_text

    typer.echo(redact_text(text), err=True)


def _print_traceback(error: Exception) -> None:
    import traceback

    _print("".join(traceback.format_exception(error)))


def _print_unexpected(error: Exception) -> None:
    _print(f"unexpected error: {type(error).__name__}: {error}")
    _print("  help: run it again as visionkit --debug ... and report what it prints")
