"""Outputs, by the names pipeline files use."""

SINKS = {
    "coco": "coco:CocoSink",
    "confusion": "confusion:ConfusionSink",
    "crops": "crops:CropsSink",
    "csv": "csv:CsvSink",
    "errors": "errors:ErrorsSink",
    "jsonl": "jsonl:JsonlSink",
    "live": "live:LiveSink",
    "masks": "masks:MasksSink",
    "media": "media:MediaSink",
    "mot": "mot:MotSink",
    "parquet": "parquet:ParquetSink",
    "record": "record:RecordSink",
    "voc": "voc:VocSink",
    "yolo": "yolo:YoloSink",
}
