"""Training the small networks that visionkit bundles, and yours.

A library first: read samples (:mod:`visionkit.train.samples`), fit a network
(:func:`~visionkit.train.detector.train_detector`, :func:`~visionkit.train.segmenter.train_segmenter`), score it on
pictures it never saw (:mod:`visionkit.train.metrics`), save it (:mod:`visionkit.train.export`). What exactly made
the files in ``weights/own`` stands in :mod:`visionkit.train.recipes`; ``python -m visionkit.train RECIPE`` runs one.

The data sets are small, so they lie in the device's memory as a whole and are augmented there, and a training
loop in plain torch is thirty lines (:mod:`visionkit.train.loop`).
"""
