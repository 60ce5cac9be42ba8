"""The city server at the window: connecting, syncing, choosing in conflicts, history, time travel."""
