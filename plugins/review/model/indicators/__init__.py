"""Indicators of a site plan, each with the polygons it was measured from, by dated floor-area and FAR rule sets."""
