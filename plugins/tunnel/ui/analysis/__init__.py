"""Trace, isolate, clearances, emergencies."""
