"""Revisions of a drawing: what changed, and which issues it touches."""
