"""What a whole picture shows: one stage for every classifier of the weights catalogue."""

STAGES = {
    "classify": "classify:Classify",
    "classify.gradcam": "gradcam:GradCam",
}
