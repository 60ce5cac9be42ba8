"""A project file's side of the sync: what goes out, how what comes in is merged, what waits for a person.

:class:`~.session.Syncer` does the work over a transport and :func:`~.session.state` tells how a file stands without
one; :mod:`~.conflicts` and :mod:`~.quarantine` hold what people decide, :func:`~.clone.clone` makes a file of a project
on the server, :mod:`~.history` restores.
"""
