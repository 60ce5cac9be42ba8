"""Planning: compare plans, check sites against the control lines. ``model`` is pure; ``ui`` needs PySide6."""
