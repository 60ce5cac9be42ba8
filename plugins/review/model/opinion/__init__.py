"""The opinion (审查意见书): printed, editable and sealed; signed by two roles; re-runnable."""
