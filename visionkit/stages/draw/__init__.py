"""Results drawn on pictures. Every stage takes the picture drawn on so far, or the clean one, and copies it once."""

STAGES = {
    "draw.boxes": "boxes:DrawBoxes",
}
