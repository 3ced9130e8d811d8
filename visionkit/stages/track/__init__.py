"""Objects followed from frame to frame."""

STAGES = {
    "track.botsort": "botsort:BotSort",
    "track.bytetrack": "bytetrack:ByteTrack",
    "track.object": "object:TrackObject",
    "track.ocsort": "ocsort:OcSort",
    "track.sort": "sort:Sort",
}
