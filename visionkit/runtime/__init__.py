"""The engine: runs a plan on sources, overlapped, in order, in bounded memory."""
