"""``python -m visionkit`` is the command ``visionkit``."""

from visionkit.app.cli import main

if __name__ == "__main__":
    main()
