"""What the user may do with a layer, said before an edit begins: by its lock, or by the rights the server gave."""

from __future__ import annotations

from typing import TYPE_CHECKING

from planner_app.i18n import tr
from planner_app.sync.types import GEOMETRY
from planner_app.ui.sync.status import sentences

if TYPE_CHECKING:
    from planner_app.domain.layer import LayerInfo
    from planner_app.sync.types import LayerRight, Role
    from planner_app.ui.session import Session


def role_word(role: Role) -> str:
    """A role's name."""
    return {
        "viewer": tr("viewer"), "planner": tr("planner"), "reviewer": tr("reviewer"),
        "operator": tr("operator"), "admin": tr("administrator"),
    }[role]  # fmt: skip


def right_of(session: Session, layer: LayerInfo) -> LayerRight | None:
    """The user's right in a layer; None where none is known (a local file, a layer made since)."""
    rights = session.sync.rights
    return rights.layers.get(layer.uuid) if rights is not None else None


def refusal(session: Session, layer: LayerInfo, field: str = "") -> str:
    """Why a layer (or a field of it, or ``geom``) may not be edited, in a sentence; "" if it may."""
    if layer.locked:
        return tr("“{layer}” is locked.", layer=layer.name)
    rights, right = session.sync.rights, right_of(session, layer)
    if rights is None or right is None:
        return ""
    if not right.write:
        return tr("“{layer}” can be read but not edited in your role ({role}).", layer=layer.name,
                  role=role_word(rights.role))  # fmt: skip
    if field and right.columns is not None and field not in right.columns:
        what = tr("The geometry of “{layer}”", layer=layer.name) if field == GEOMETRY else tr("This field")
        return tr("{what} cannot be edited in your role ({role}).", what=what, role=role_word(rights.role))
    return ""


def remark(session: Session, layer: LayerInfo) -> str:
    """What a layer's edits are limited to, in a sentence; the refusal where there is one; "" if nothing limits them."""
    refused = refusal(session, layer)
    right = right_of(session, layer)
    if refused or right is None:
        return refused
    parts = []
    if right.columns is not None:
        names = [info.alias or info.name for info in layer.fields if info.name in right.columns]
        parts.append(tr("In your role only these fields can be edited: {fields}.", fields=tr(", ").join(names)))
    if right.district is not None:
        parts.append(tr("Only what lies in your district can be edited."))
    return sentences(*parts)


def right_pill(right: LayerRight | None, locked: bool) -> tuple[str, str]:
    """(token, word) of what may be done; ``pass`` where nothing is limited."""
    if locked:
        return "cannot_judge", tr("Locked")
    if right is None or (right.write and right.columns is None and right.district is None):
        return "pass", tr("May edit")
    if not right.write:
        return "cannot_judge", tr("Read only")
    return "needs_certificate", tr("Some fields") if right.columns is not None else tr("In a district")
