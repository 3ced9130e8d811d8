"""``python -m visionkit.train RECIPE --data DIR --split FILE --out DIR``: make one of the bundled weights again."""

from __future__ import annotations

import argparse
import logging
from pathlib import Path

from visionkit.train.recipes import RECIPES, Job, run


def main() -> None:
    """Read the command line and run one recipe."""
    parser = argparse.ArgumentParser(prog="python -m visionkit.train", description=__doc__)
    parser.add_argument("recipe", choices=sorted(RECIPES))
    parser.add_argument("--data", type=Path, required=True, help="top folder of the data set")
    parser.add_argument("--split", type=Path, required=True, help="a file of weights/splits")
    parser.add_argument("--out", type=Path, required=True, help="folder for the weights and their scores")
    parser.add_argument("--fit", nargs="+", default=["train", "val"], help="parts to train on (train val)")
    parser.add_argument("--score", default="test", help="part to be judged on (test)")
    parser.add_argument("--backbone", type=Path, help="torchvision's mobilenet_v2-*.pth; without it, from nothing")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="cpu", help="cpu (default) or cuda")
    parser.add_argument("--steps", type=int, help="fewer steps than the recipe's, for a quick try")
    values = vars(parser.parse_args())
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    run(values.pop("recipe"), Job(**values | {"fit": tuple(values["fit"])}))


if __name__ == "__main__":
    main()
