"""How fast visionkit is: ``python -m benchmarks SUITE... -o benchmarks/results/``."""
