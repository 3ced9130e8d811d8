"""Classical computer vision: shapes, regions, motion and codes, without a network."""

STAGES = {
    "background.knn": "background_knn:Knn",
    "background.mog2": "background_mog2:Mog2",
    "contours": "contours:Contours",
    "flow.dis": "flow_dis:Dis",
    "flow.farneback": "flow_farneback:Farneback",
    "hough.circles": "hough_circles:HoughCircles",
    "hough.lines": "hough_lines:HoughLines",
    "read.barcode": "read_barcode:Barcode",
    "read.qr": "read_qr:Qr",
    "segment.grabcut": "segment_grabcut:Grabcut",
    "segment.slic": "segment_slic:Slic",
    "segment.watershed": "segment_watershed:Watershed",
}
