"""The pictures and videos visionkit ships, and how they were made."""
