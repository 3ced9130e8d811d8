"""OpenCV filters: picture in, picture of the same size out."""

STAGES = {
    "filter.clahe": "clahe:Clahe",
}
