"""The live page: what a run sees, in a browser or a window, with every parameter at hand."""
