"""The same plan on many machines: workers run pieces of the inputs, one process writes all results."""
