"""The sample new town 滨海新城 (Binhai New Town): an invented district generated from a seed.

Everything is drawn in a local frame (metres, x east, y north) whose origin is ``frame.ORIGIN`` in EPSG:4549.
No module here needs Qt or QGIS; NumPy and shapely are used throughout, ezdxf for the drawings.
"""
