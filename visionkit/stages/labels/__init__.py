"""What people wrote down about pictures: the labels of a data set, read back in."""

STAGES = {
    "labels": "labels:ReadLabels",
    "labels.mask": "mask:ReadMask",
}
