"""Text in pictures: found and read, or read on crops."""

STAGES = {
    "ocr.rapidocr": "rapidocr:RapidOcr",
}
