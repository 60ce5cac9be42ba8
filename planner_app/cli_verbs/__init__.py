"""The core verbs, one file per area; each has ``VERBS``. Plugins add theirs through the plugin host."""
