"""Dialogs. Each is imported when it is first opened."""
