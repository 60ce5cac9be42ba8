"""What shell and engine say to each other: JSON-RPC 2.0 over a local socket, pixels through a mapped file.

Standard library only, since both sides import it under different Pythons.

The shell listens on a socket and starts the engine with the socket's name in its arguments; the one-time token goes
through standard input. The engine's first message is ``hello`` with that token. Requests carry an id and may be
cancelled (``cancel``); a newer ``render`` of the same view supersedes the older one. Pictures are announced by
notifications ``picture`` that name a slot of the view's pixel file.
"""
