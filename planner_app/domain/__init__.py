"""The words of the field: errors, progress, layers, plans, findings, rules, areas, styles. No Qt, QGIS or I/O."""
