"""Readings come in, alarms go out: collection, dated alarm rules, the engine that judges, replay."""
