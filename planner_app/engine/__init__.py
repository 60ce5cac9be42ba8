"""The QGIS side: run by QGIS's own Python, it draws maps, legends and printed sheets.

It imports the standard library, ``qgis`` and ``planner_app.protocol``, nothing else.

It ends when the shell does. Whatever crashes here costs a redraw, never work.
"""
