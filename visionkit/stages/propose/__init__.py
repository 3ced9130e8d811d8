"""Regions where a thing may be, of no class yet: what R-CNN classifies."""

STAGES = {
    "propose.selective": "selective:Selective",
}
