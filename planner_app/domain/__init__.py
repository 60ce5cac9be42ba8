"""The words of the field: errors, progress, layers, plans, findings, rules, areas, styles. Pure; no Qt, no QGIS, no I/O."""
