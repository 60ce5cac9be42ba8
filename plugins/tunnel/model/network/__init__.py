"""Tunnel compartments, buried pipes and what stands in them as one graph: tracing and isolation."""
