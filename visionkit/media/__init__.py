"""Where frames come from (:mod:`visionkit.media.sources`) and where results go (:mod:`visionkit.media.sinks`)."""
