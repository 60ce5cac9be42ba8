"""Utility tunnels and pipes: a model that knows its space, its rules and its readings."""
