"""Review cases in the project file: drawings and their revisions, issues with anchors, mark-up, sign-offs, reports."""
