"""Alarms and readings."""
