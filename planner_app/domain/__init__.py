"""The words of the field: errors, progress, layers, plans, findings, rules, areas, styles, encodings.

No Qt, no QGIS, no project file.
"""
