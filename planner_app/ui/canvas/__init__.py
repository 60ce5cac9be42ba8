"""The map canvas: what is painted at once, and how the engine's pictures replace it."""
