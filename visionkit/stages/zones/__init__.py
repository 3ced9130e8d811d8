"""Where in the frame: zones and lines that tracked objects enter, leave and cross."""

STAGES = {
    "zones.count": "count:CountZones",
    "zones.draw": "draw:DrawZones",
    "zones.line": "line:CountLines",
}
