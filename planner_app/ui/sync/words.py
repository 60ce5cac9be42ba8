"""How a line is guarded, in words."""

from __future__ import annotations

from planner_app.i18n import tr
from planner_app.ui.sync.address import ServerAddress


def tls_name(mode: str) -> str:
    """A mode of encryption as a chooser names it."""
    return {
        "verify-full": tr("TLS, server verified (recommended)"),
        "verify-ca": tr("TLS, authority verified"),
        "require": tr("TLS, not verified"),
        "disable": tr("no encryption"),
    }[mode]


def tls_look(address: ServerAddress) -> tuple[str, str, str]:
    """(icon, token, sentence) of how well the line is guarded."""
    if address.service:
        return "key-round", "secondary", tr("Address and encryption come from your service file.")
    if address.host.startswith("/"):
        return "monitor", "secondary", tr("The server runs on this computer.")
    return {
        "verify-full": ("lock", "pass", tr("Encrypted; the server proves who it is by its certificate.")),
        "verify-ca": ("lock", "pass", tr("Encrypted; the authority behind the certificate is checked.")),
        "require": ("lock-open", "needs_certificate", tr("Encrypted, but nobody checks who answers.")),
    }.get(address.tls, ("lock-open", "fail", tr("Not encrypted: anybody on the way can read along.")))
