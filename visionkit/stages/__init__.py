"""The stages that come with visionkit: a package per family, a file per stage."""
