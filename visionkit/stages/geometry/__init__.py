"""Geometry: every stage here moves pixels and keeps the map back to the source frame."""

STAGES = {
    "crop": "crop:Crop",
    "elastic": "elastic:Elastic",
    "flip": "flip:Flip",
    "letterbox": "letterbox:Letterbox",
    "pad": "pad:Pad",
    "resize": "resize:Resize",
    "rotate": "rotate:Rotate",
    "tile": "tile:Tile",
    "undistort": "undistort:Undistort",
    "warp": "warp:Warp",
}
