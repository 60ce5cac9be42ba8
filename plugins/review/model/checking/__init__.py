"""Rules judged: the indicators and geometry of a site plan against planning conditions and dated standards."""
