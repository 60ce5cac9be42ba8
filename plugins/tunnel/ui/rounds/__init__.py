"""Inspection rounds, defects and work orders."""
