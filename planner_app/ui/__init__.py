"""The window (PySide6). ``session`` holds what is shown, widgets only show it, ``*_flows`` are what a person does.

``app`` starts the desktop; ``main_window`` lays out its parts (``top_bar``, ``rail``, ``map_area``, ``dock``,
``task_area``, ``status_bar``); ``window_actions`` lists everything menus and search box offer. ``canvas`` is the map
with its ``tools``, ``panels`` stand in the layer column, the dock and the task column, ``dialogs`` open above all that,
``sync`` is the city server. Plugins see it through ``plugin_context``, never directly.
"""
