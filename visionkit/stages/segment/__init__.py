"""Which pixels show what, by networks; and what one does with that."""

STAGES = {
    "background.blur": "background_blur:BackgroundBlur",
    "background.replace": "background_replace:BackgroundReplace",
    "matte": "matte:MatteStage",
    "segment": "segment:Segment",
    "segment.flatten": "flatten:Flatten",
    "segment.objects": "objects:SegmentObjects",
    "segment.polygons": "polygons:Polygons",
}
