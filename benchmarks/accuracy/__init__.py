"""Is it right? Every family on real data, beside its library called by hand: ``python -m benchmarks.accuracy``.

The ways to call a library by hand are functions here, and the tests of the stages compare with the same ones.
"""
