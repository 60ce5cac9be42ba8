"""All that a plugin may touch. ``model`` is pure, ``ui`` needs PySide6, ``engine`` runs inside QGIS.

A plugin is a folder with ``plugin.toml`` (``id``, ``name``, ``name_zh``, ``version``, ``api``, ``roles``) and up to
three modules ``model``, ``ui``, ``engine``, each with ``register(api)``. Registration is all or nothing.
"""

API_VERSION = 1
