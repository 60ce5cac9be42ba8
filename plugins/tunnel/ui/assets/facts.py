"""What a parcel's form says of the services that reach it."""

from __future__ import annotations

from collections.abc import Sequence

from planner_app.domain.layer import LayerInfo
from planner_app.i18n import tr
from planner_app.plugin_api.model import Project
from planner_app.plugin_api.ui import FeatureFact, FeatureFacts, UiApi
from plugins.tunnel.ui.assets import words

TITLE = "Services that reach this parcel"


def register(api: UiApi) -> None:
    """Add the lines to the form of parcels."""
    api.add_feature_facts(FeatureFacts("tunnel.services", TITLE, applies, facts))


def applies(layer: LayerInfo) -> bool:
    """True for layers of parcels: areas with a parcel's number."""
    from plugins.tunnel.model.assets.services import parcel_field

    return bool(parcel_field(layer)) and not layer.role.startswith(("review.", "tunnel."))


def facts(project: Project, layer_id: str, fid: int) -> Sequence[FeatureFact]:
    """One line per service; the last one says what is missing. Nothing in a project without networks."""
    import shapely

    from plugins.tunnel.model.assets.services import Service, has_networks, missing, services_of

    if not has_networks(project):
        return []
    table = project.read(layer_id, columns=[], fids=[fid])
    if not len(table) or table.geometry[0] is None:
        return []
    found = services_of(project, shapely.from_wkb(table.geometry[0]))

    def told(one: Service) -> str:
        size = f" DN{one.dn_mm}" if one.dn_mm and one.kind not in ("GD", "DL", "TX", "ZH") else ""
        how = {
            "served": tr("connected to it"), "crossing": tr("crosses it"),
            "street": tr("{metres} m away", metres=f"{one.distance_m:.1f}"),
        }[one.how]  # fmt: skip
        people = tr("{count} customers", count=f"{one.customers:,}") if one.customers else ""
        state = words.status(one.status) if one.status != "in_use" else ""
        return " · ".join(part for part in (f"{one.code}{size}", how, people, state) if part)

    lines = [FeatureFact(words.kind(one.kind), told(one), one.layer_id, (one.fid,)) for one in found]
    lacking = missing(found)
    if lacking:
        names = tr(", ").join(words.kind(kind) for kind in lacking)
        lines.append(FeatureFact(tr("Not there"), names))
    return lines
