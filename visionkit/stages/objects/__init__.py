"""Detections in, detections out: joined, thinned, chosen."""

STAGES = {
    "merge": "merge:Merge",
    "nms": "nms:Nms",
    "select": "select:Select",
    "visible": "visible:Visible",
}
