"""``visionkit`` and ``python -m visionkit``."""

from visionkit.app.interrupts import remember_interrupts


def main() -> None:
    """The console script."""
    remember_interrupts()
    from visionkit.app.cli import main as run

    run()


if __name__ == "__main__":
    main()
