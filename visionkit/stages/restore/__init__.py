"""Better pictures from poor ones, by networks that enlarge, or take away noise, blur or JPEG's blocks."""

STAGES = {"restore": "restore:Restore"}
