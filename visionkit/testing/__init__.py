"""For those who write stages: the suite that every stage passes, and synthetic pictures.

>>> from visionkit.testing import check_stage
>>> check_stage(MyStage)
"""

from visionkit.testing.compare import Tolerance, difference
from visionkit.testing.context import CountingContext
from visionkit.testing.contract import CHECKS, check_stage, default_params, heavy_imports
from visionkit.testing.values import empty_of, example_of

__all__ = [
    "CHECKS",
    "CountingContext",
    "Tolerance",
    "check_stage",
    "default_params",
    "difference",
    "empty_of",
    "example_of",
    "heavy_imports",
]
