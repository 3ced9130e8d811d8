"""What the command line returns; documented in the README and in ``visionkit --help``."""

from __future__ import annotations

from visionkit import errors

EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_SOME_FAILED = 3
EXIT_PIPELINE = 4
EXIT_OUTPUT = 5
EXIT_MISSING = 6
EXIT_INPUT = 7
EXIT_STAGE = 8
EXIT_INTERRUPTED = 130
EXIT_CODES: tuple[tuple[type[BaseException], int], ...] = (
    (errors.PipelineError, EXIT_PIPELINE),
    (errors.UsageError, EXIT_USAGE),
    (errors.SinkError, EXIT_OUTPUT),
    (errors.MissingExtraError, EXIT_MISSING),
    (errors.WeightsError, EXIT_MISSING),
    (errors.SourceError, EXIT_INPUT),
    (errors.StageError, EXIT_STAGE),
    (KeyboardInterrupt, EXIT_INTERRUPTED),
)


def exit_code(error: BaseException) -> int:
    """The exit code of an error that ended a command."""
    return next((code for kind, code in EXIT_CODES if isinstance(error, kind)), EXIT_FAILED)
