"""No piece of a password is left in what people read."""

from __future__ import annotations

import pytest

from visionkit.media.redact import redact, redact_text


@pytest.mark.parametrize(
    ("url", "clean"),
    [
        ("rtsp://host/live", "rtsp://host/live"),
        ("rtsp://host:554/live", "rtsp://host:554/live"),
        ("rtsp://[::1]:554/live", "rtsp://[::1]:554/live"),
        ("rtsp://admin:secret@host:554/live", "rtsp://***@host:554/live"),
        ("rtsp://admin:se@cret@host/live", "rtsp://***@host/live"),
        ("rtsp://admin:se/cret@host/live", "rtsp://***@host/live"),
        ("rtsp://admin:12/secret@host/live", "rtsp://***@host/live"),
        ("rtsp://secret@host/live", "rtsp://***@host/live"),
        ("https://host/@user/video", "https://host/@user/video"),
        ("http://host/v?token=secret&w=1", "http://host/v?token=***&w=1"),
        ("http://host/v?w=1&api_key=secret", "http://host/v?w=1&api_key=***"),
        ("photo.jpg", "photo.jpg"),
    ],
)
def test_urls(url: str, clean: str) -> None:
    assert redact(url) == clean
    assert "secret" not in redact(url)


def test_texts() -> None:
    text = "cannot open 'rtsp://u:secret@cam/1', tried http://a/b?password=secret twice"
    assert redact_text(text) == "cannot open 'rtsp://***@cam/1', tried http://a/b?password=*** twice"
