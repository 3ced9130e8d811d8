"""The pipeline language: YAML → document → plan."""
