"""Drawings as neutral entities, whatever file they come from, and their place on the ground."""
