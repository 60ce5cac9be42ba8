"""All that a plugin may touch. ``model`` is pure, ``ui`` needs PySide6, ``engine`` runs inside QGIS.

``widgets`` are the parts every panel is made of (pages, forms, tables, cards, dialogs, reports); ``viewport`` is the
arithmetic of a view that is panned and zoomed.

A plugin is a folder with ``plugin.toml`` (``id``, ``name``, ``name_zh``, ``version``, ``api``, ``roles``) and up to
three modules ``model``, ``ui``, ``engine``, each with ``register(api)``. Registration is all or nothing.
"""

API_VERSION = 1
