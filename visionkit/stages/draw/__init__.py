"""Results drawn on pictures. Every stage takes the picture drawn on so far, or the clean one, and copies it once."""

STAGES = {
    "draw.blur": "blur:DrawBlur",
    "draw.boxes": "boxes:DrawBoxes",
    "draw.flow": "flow:DrawFlow",
    "draw.heatmap": "heatmap:DrawHeatmap",
    "draw.keypoints": "keypoints:DrawKeypoints",
    "draw.labels": "labels:DrawLabels",
    "draw.lines": "lines:DrawLines",
    "draw.mask": "mask:DrawMask",
    "draw.masks": "masks:DrawMasks",
    "draw.mosaic": "mosaic:DrawMosaic",
    "draw.pixelate": "pixelate:DrawPixelate",
    "draw.polygons": "polygons:DrawPolygons",
    "draw.sidebyside": "sidebyside:DrawSideBySide",
    "draw.text": "text:DrawText",
    "draw.title": "title:DrawTitle",
    "draw.trails": "trails:DrawTrails",
}
