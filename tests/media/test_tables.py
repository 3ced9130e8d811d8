"""Rows are in source-frame pixels, the same in every run, and of packets that did not fail."""

from __future__ import annotations

import csv
import io
import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from visionkit.data import (
    ABSENT,
    Annotated,
    Canvas,
    Detections,
    Failure,
    Image,
    Key,
    Labels,
    Lines,
    Packet,
    Rows,
    Scores,
    TextLines,
)
from visionkit.errors import SinkError
from visionkit.media.sinks.csv import CsvParams, CsvSink
from visionkit.media.sinks.errors import ErrorsParams, ErrorsSink
from visionkit.media.sinks.jsonl import JsonlParams, JsonlSink
from visionkit.stage import Sink, SinkContext, SourceInfo

FRAME = Canvas.source(640, 480)
CROP = FRAME.crop(100, 50, 64, 48)
INFO = SourceInfo("v.mp4", "video", "in/v.mp4", "v.mp4")


def cats(canvas: Canvas = CROP, **columns: Any) -> Detections:
    return Detections(
        canvas,
        np.array([[1, 2, 3, 4], [5, 6, 7.5, 8]]),
        np.array([0.5, 0.25]),
        np.array([0, 1]),
        ("cat", "dog"),
        track_id=np.array([7, 9]),
        columns={name: np.array(values, object) for name, values in columns.items()},
    )


def packet(index: int = 0, failure: Failure | None = None, source: str = "v.mp4", **values: Any) -> Packet:
    return Packet(Key(source, 0, index), Fraction(index, 3), f"in/{source}", values, failure)


def written(sink: Sink[Any], out: Path, packets: list[Packet], names: tuple[str, ...] = ()) -> list[Path]:
    sink.open(SinkContext(out, names=names))
    for each in packets:
        info = SourceInfo(each.key.source, "video", None, each.key.source)
        sink.write(each, info, sink.prepare(each, info))
    for name in dict.fromkeys(each.key.source for each in packets):
        sink.end(SourceInfo(name, "video", None, name))
    return sink.close(False)


def rows(out: Path, packets: list[Packet], names: tuple[str, ...] = (), **params: Any) -> list[dict[str, Any]]:
    (path,) = written(JsonlSink(JsonlParams(**params)), out, packets, names)
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def cells(out: Path, packets: list[Packet], **params: Any) -> list[dict[str, str]]:
    (path,) = written(CsvSink(CsvParams(**params)), out, packets)
    return list(csv.DictReader(io.StringIO(path.read_text("utf-8"))))


def test_a_row_for_each_packet(out: Path) -> None:
    got = rows(out, [packet(0, detect=cats()), packet(1, detect=cats(FRAME))])
    assert [(row["source"], row["index"], row["pts"]) for row in got] == [("v.mp4", 0, 0.0), ("v.mp4", 1, 1 / 3)]
    assert got[0]["detect"][0] == {
        "class_name": "cat",
        "class_id": 0,
        "score": 0.5,
        "box": [101.0, 52.0, 103.0, 54.0],
        "track_id": 7,
    }
    assert got[1]["detect"][0]["box"] == [1.0, 2.0, 3.0, 4.0]


def test_every_kind_of_result(out: Path) -> None:
    text = TextLines(CROP, ("ÄB",), np.array([0.9]), np.array([[[0, 0], [5, 0], [5, 5], [0, 5]]]))
    (row,) = rows(
        out,
        [
            packet(
                text=text,
                label=Labels(np.array([1]), np.array([0.7]), ("a", "b")),
                line=Lines(CROP, np.array([[0, 0, 1, 2]])),
                score=Scores({"sharpness": 2.5, "none": float("nan")}),
                event=Rows(({"event": "in", "n": np.int64(3)},)),
            )
        ],
    )
    assert row["text"]["lines"][0]["text"] == "ÄB"
    assert row["text"]["lines"][0]["polygon"][2] == [105.0, 55.0]
    assert row["label"]["labels"] == [{"class_name": "b", "score": 0.7}]
    assert row["line"]["lines"] == [[100.0, 50.0, 101.0, 52.0]]
    assert row["score"] == {"sharpness": 2.5, "none": None}
    assert row["event"]["rows"] == [{"event": "in", "n": 3}]
    assert "canvas" not in row


def test_a_result_without_a_place_in_the_frame_says_so(out: Path) -> None:
    (row,) = rows(out, [packet(detect=cats(Canvas.detached(64, 48)))])
    assert row["detect"][0]["box"] == [1.0, 2.0, 3.0, 4.0]
    assert row["canvas"] == {"detect": [64, 48]}
    got = cells(out / "csv", [packet(detect=cats(Canvas.detached(64, 48)))])
    assert json.loads(got[0]["more"]) == {"canvas": [64, 48]}


def test_absent_is_null_and_empty_is_empty(out: Path) -> None:
    packets = [packet(0, a=ABSENT, b=Detections.empty(FRAME)), packet(1, b=cats())]
    assert [row["a"] for row in rows(out, packets, ("a", "b"))] == [None, None]
    assert [len(row["b"]) for row in rows(out / "2", packets, ("a", "b"))] == [0, 2]


def test_pictures_and_the_frame_are_no_results(out: Path) -> None:
    picture = Image(np.zeros((4, 4, 3), np.uint8))
    drawn = Annotated(np.zeros((4, 4, 3), np.uint8))
    (row,) = rows(out, [packet(source=picture, crop=picture, drawn=drawn, n=Scores({"a": 1.0}))])
    assert list(row) == ["source", "index", "pts", "n"]


def test_results_come_in_the_order_of_the_pipeline(out: Path) -> None:
    (row,) = rows(out, [packet(a=cats(), b=cats(), c=cats())], ("c", "b"))
    assert list(row) == ["source", "index", "pts", "c", "b"]


def test_failed_packets_have_no_row_but_an_error(out: Path) -> None:
    failure = Failure("detect", "VK340", "cannot open rtsp://u:secret@cam/1")
    packets = [packet(0, detect=cats()), packet(1, failure)]
    assert len(rows(out, packets)) == 1
    (path,) = written(ErrorsSink(ErrorsParams()), out, packets)
    (row,) = [json.loads(line) for line in path.read_text().splitlines()]
    assert row == {
        "source": "v.mp4",
        "path": "in/v.mp4",
        "index": 1,
        "pts": 1 / 3,
        "stage": "detect",
        "code": "VK340",
        "message": "cannot open rtsp://***@cam/1",
    }


def test_no_errors_no_file(out: Path) -> None:
    assert written(ErrorsSink(ErrorsParams()), out, [packet(detect=cats())]) == []
    assert not (out / "errors.jsonl").exists()


def test_errors_of_an_earlier_run_go_with_overwrite(out: Path) -> None:
    out.mkdir()
    (out / "errors.jsonl").touch()
    sink = ErrorsSink(ErrorsParams())
    with pytest.raises(SinkError, match="already"):
        sink.check(SinkContext(out), [INFO])
    sink.open(SinkContext(out, overwrite=True))
    assert sink.close(False) == []
    assert not (out / "errors.jsonl").exists()


def test_runs_are_equal_byte_for_byte(out: Path) -> None:
    packets = [packet(i, detect=cats(note=["a", None]), s=Scores({"x": i / 7})) for i in range(20)]
    for kind, params in ((JsonlSink, JsonlParams()), (CsvSink, CsvParams())):
        one, two = (written(kind(params), out / str(n), packets)[0].read_bytes() for n in range(2))
        assert one == two
        assert one.endswith(b"\n")


def test_one_table_for_each_source(out: Path) -> None:
    packets = [packet(i, None, name, detect=cats()) for name in ("x/a.mp4", "b.mp4") for i in range(3)]
    paths = written(JsonlSink(JsonlParams(path="{source.folder}/{source.stem}.jsonl")), out, packets)
    assert [p.relative_to(out).as_posix() for p in paths] == ["x/a.jsonl", "b.jsonl"]
    assert [len(p.read_text().splitlines()) for p in paths] == [3, 3]
    infos = [SourceInfo(n, "image", None, n) for n in ("a.png", "a.jpg")]
    with pytest.raises(SinkError, match="collide"):
        JsonlSink(JsonlParams(path="{source.stem}.jsonl")).check(SinkContext(out), infos)


def test_a_table_is_a_part_until_it_is_whole(out: Path) -> None:
    sink = JsonlSink(JsonlParams())
    sink.open(SinkContext(out))
    assert [p.name for p in out.iterdir()] == ["results.jsonl.part"]
    for i in range(200):
        sink.write(packet(i), INFO, sink.prepare(packet(i), INFO))
    assert len((out / "results.jsonl.part").read_text().splitlines()) == 200
    sink.close(False)
    assert [p.name for p in out.iterdir()] == ["results.jsonl"]
    with pytest.raises(SinkError, match="already"):
        sink.check(SinkContext(out), [INFO])
    sink.check(SinkContext(out, overwrite=True), [INFO])


def test_a_table_without_results_has_its_head(out: Path) -> None:
    assert written(CsvSink(CsvParams()), out, [])[0].read_text().startswith("source,index,pts,result,item,class_name")


def test_csv_has_a_row_for_each_object(out: Path) -> None:
    text = TextLines(CROP, ('say "hi", you',), np.array([0.9]), np.array([[[0, 0], [5, 0], [5, 5], [0, 5]]]))
    got = cells(out, [packet(2, detect=cats(age=[3, None]), ocr=text, label=ABSENT)], columns=["age"])
    assert [(row["result"], row["item"], row["class_name"], row["age"]) for row in got] == [
        ("detect", "0", "cat", "3"),
        ("detect", "1", "dog", ""),
        ("ocr", "0", "", ""),
    ]
    assert [got[1][name] for name in ("x1", "y1", "x2", "y2", "track_id")] == ["105.0", "56.0", "107.5", "58.0", "9"]
    assert (got[2]["text"], got[2]["x1"], got[2]["y2"]) == ('say "hi", you', "100.0", "55.0")
    assert "polygon" in got[2]["more"]


def test_csv_columns_reach_into_records(out: Path) -> None:
    plates = np.array([{"text": "B-AR 1", "score": 0.9}, None], object)
    got = cells(out, [packet(detect=cats(plate=list(plates)))], columns=["plate.text"])
    assert [row["plate.text"] for row in got] == ["B-AR 1", ""]


def test_names_that_are_not_utf8(out: Path) -> None:
    (row,) = rows(out, [packet(0, None, "a\udcff.mp4", s=Scores({}))])
    assert row["source"] == "a\udcff.mp4"


def test_paths_are_checked() -> None:
    with pytest.raises(ValidationError, match="leads out"):
        JsonlParams(path="../x.jsonl")
    with pytest.raises(ValidationError):
        JsonlParams(path="{source.stem")
    with pytest.raises(ValidationError, match="stem"):
        JsonlParams(path="{source.sten}")
    with pytest.raises(ValidationError):
        JsonlParams(path="{car.plate}")
