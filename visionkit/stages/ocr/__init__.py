"""Text in pictures: found and read, or read on crops."""

STAGES = {
    "ocr.easyocr": "easyocr:EasyOcrStage",
    "ocr.rapidocr": "rapidocr:RapidOcr",
}
