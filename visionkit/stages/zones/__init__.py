"""Where in the frame and how fast: zones and lines that tracked objects enter, leave and cross, and their speed."""

STAGES = {
    "track.speed": "speed:Speed",
    "zones.count": "count:CountZones",
    "zones.draw": "draw:DrawZones",
    "zones.line": "line:CountLines",
}
