"""The command line: the only part of visionkit that prints."""
