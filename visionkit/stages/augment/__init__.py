"""Chance changes for training data, by albumentations: each picture, and each variant of it, gets its own.

Every stage draws from the run's seed, its id and the packet's source, index and variant: the same picture comes out
whatever the workers and the order. Pictures that were moved keep the map to their source frame, so boxes, masks and
keypoints found before or read from files go along; an output with that picture in ``in:`` writes them in its pixels.
"""

STAGES = {
    "augment.blur": "blur:Blur",
    "augment.brightness_contrast": "brightness_contrast:BrightnessContrast",
    "augment.crop": "crop:Crop",
    "augment.cutout": "cutout:Cutout",
    "augment.distort": "distort:Distort",
    "augment.elastic": "elastic:Elastic",
    "augment.flip": "flip:Flip",
    "augment.gamma": "gamma:Gamma",
    "augment.hue": "hue:Hue",
    "augment.jpeg": "jpeg:Jpeg",
    "augment.motion_blur": "motion_blur:MotionBlur",
    "augment.noise": "noise:Noise",
    "augment.perspective": "perspective:Perspective",
    "augment.pixels": "pixels:Pixels",
    "augment.rotate": "rotate:Rotate",
    "augment.scale": "scale:Scale",
    "augment.shear": "shear:Shear",
    "augment.translate": "translate:Translate",
    "augment.turn": "turn:Turn",
}
