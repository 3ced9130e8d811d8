"""OpenCV filters: picture in, picture out, of the same size where nothing else is said."""

STAGES = {
    "filter.adaptive_threshold": "adaptive_threshold:AdaptiveThreshold",
    "filter.bilateral": "bilateral:Bilateral",
    "filter.blur": "blur:Blur",
    "filter.box": "box:Box",
    "filter.brightness": "brightness:Brightness",
    "filter.clahe": "clahe:Clahe",
    "filter.color": "color:Color",
    "filter.contrast": "contrast:Contrast",
    "filter.convolve": "convolve:Convolve",
    "filter.equalize": "equalize:Equalize",
    "filter.gamma": "gamma:Gamma",
    "filter.gray": "gray:Gray",
    "filter.invert": "invert:Invert",
    "filter.median": "median:Median",
    "filter.morphology": "morphology:Morphology",
    "filter.nlm": "nlm:Nlm",
    "filter.pyramid": "pyramid:Pyramid",
    "filter.sharpen": "sharpen:Sharpen",
    "filter.threshold": "threshold:Threshold",
    "filter.white_balance": "white_balance:WhiteBalance",
}
