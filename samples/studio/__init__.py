"""Makes the sample videos and stills: cut-outs moved over painted and photographed ground, with exact ground truth.

Points are continuous: pixel (0, 0) of a picture covers [0, 1)², as everywhere in visionkit.
"""
