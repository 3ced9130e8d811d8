"""Outputs, by the names pipeline files use."""

SINKS = {
    "csv": "csv:CsvSink",
    "errors": "errors:ErrorsSink",
    "jsonl": "jsonl:JsonlSink",
    "media": "media:MediaSink",
}
