"""Objects found by a network: one stage for every detector of the weights catalogue."""

STAGES = {
    "detect": "detect:Detect",
}
