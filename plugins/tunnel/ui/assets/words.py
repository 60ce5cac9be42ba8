"""Words of the assets' page in the chosen language."""

from __future__ import annotations

from planner_app.domain.layer import FieldInfo
from planner_app.i18n import language, tr
from plugins.tunnel.model.assets import cjj61
from plugins.tunnel.model.assets.status import WORDS


def kind(abbr: str) -> str:
    """A kind of line by its abbreviation."""
    if abbr == "ZH":
        return tr("Utility tunnel")
    found = cjj61.KINDS.get(abbr)
    if found is None:
        return abbr or "—"
    return found.name if language() == "zh_CN" else found.english


def status(state: str) -> str:
    """A state of an asset."""
    english, chinese = WORDS.get(state, (state, state))
    return chinese if language() == "zh_CN" else english.capitalize()


#: Theme token of a state's pill.
STATUS_TOKEN = {
    "planned": "cannot_judge",
    "building": "needs_certificate",
    "in_use": "pass",
    "abandoned": "fail",
}


def table(name: str) -> str:
    """A table of assets."""
    return {
        "tunnel": tr("Tunnels"),
        "tunnel_section": tr("Sections"),
        "compartment": tr("Compartments"),
        "fire_zone": tr("Fire zones"),
        "tunnel_node": tr("Openings and shafts"),
        "net_line": tr("Pipes & cables"),
        "net_node": tr("Pipe nodes"),
        "valve": tr("Shut-off valves"),
        "service_point": tr("Service points"),
        "sensor": tr("Sensors"),
        "equipment": tr("Equipment"),
        "support": tr("Supports"),
    }.get(name, name)


def caption(info: FieldInfo) -> str:
    """A column as the project names it in a Chinese window; in others by its meaning where that is known."""
    known = column(info.name)
    if info.alias and (language() == "zh_CN" or known == info.name):
        return info.alias
    return known


def column(name: str) -> str:
    """A column of an asset's table by its meaning; its name where that is not known."""
    return {
        "code": tr("Code"), "name": tr("Name"), "network": tr("Network"), "kind_code": tr("Kind"),
        "from_node": tr("From node"), "to_node": tr("To node"), "shape": tr("Cross section"),
        "dn_mm": tr("DN (mm)"),
        "material": tr("Material"), "laying": tr("Laying"), "z_ref": tr("Levels refer to"), "z1": tr("Level 1 (m)"),
        "z2": tr("Level 2 (m)"), "depth1": tr("Depth 1 (m)"), "depth2": tr("Depth 2 (m)"),
        "rating": tr("Rating"), "cables": tr("Cables"), "status": tr("State"), "year": tr("Year laid"),
        "length_m": tr("Length, m"), "owner": tr("Owner"), "source": tr("Source"), "closed": tr("Shut"),
        "deviation_m": tr("Off the design (m)"), "type": tr("Type"), "node": tr("At node"), "line": tr("On line"),
        "is_open": tr("Open now"), "normally_open": tr("Normally open"), "operable": tr("Can be worked"),
        "last_exercised": tr("Last worked"), "kind": tr("Kind"), "tunnel": tr("Tunnel"), "m": tr("Chainage (m)"),
        "from_m": tr("From (m)"), "to_m": tr("To (m)"), "compartment": tr("Compartment"),
        "section": tr("Tunnel section"),
        "ground_z": tr("Ground level (m)"), "customer_count": tr("Customers"), "critical": tr("Critical user"),
        "unit": tr("Unit"), "feature_code": tr("Point feature"), "demand": tr("Demand"),
        "fed_by": tr("Fed by"), "rated_m3h": tr("Rated flow (m³/h)"), "clear_size": tr("Clear size (m)"),
        "calibrated_on": tr("Calibrated on"), "due": tr("Calibration due"),
    }.get(name, name)  # fmt: skip


def group(title: str) -> str:
    """What a distribution speaks of."""
    return {
        "kind": tr("Kind"), "material": tr("Material"), "status": tr("State"), "age": tr("Age"), "owner": tr("Owner"),
    }[title]  # fmt: skip


def word_of(text: str) -> str:
    """A word of the tables in the chosen language: kinds of tunnels and sensors."""
    return {
        "trunk": tr("Trunk tunnel"), "branch": tr("Branch tunnel"), "cable": tr("Cable tunnel"),
        "o2": tr("Oxygen"), "ch4": tr("Methane"), "h2s": tr("Hydrogen sulphide"), "co": tr("Carbon monoxide"),
        "temp": tr("Temperature"), "cable_temp": tr("Cable temperature"), "rh": tr("Humidity"),
        "level": tr("Water level"), "settlement": tr("Settlement"), "power": tr("Power"), "smoke": tr("Smoke"),
        "open_cut": tr("Cut and cover"), "jacking": tr("Pipe jacking"), "shield": tr("Shield"),
        "top": tr("Top"), "invert": tr("Inner bottom"), "axis": tr("Axis"), "bottom": tr("Outer bottom"),
    }.get(text, text)  # fmt: skip


def network(name: str) -> str:
    """A network's name; the plain English ones of the sample by their kind."""
    abbr = cjj61.NETWORKS.get(name, "")
    return kind(abbr) if abbr else name


def station(m: float | None) -> str:
    """Chainage as written on sheets; empty if there is none."""
    return "" if m is None else f"K{int(m // 1000)}+{m % 1000:06.2f}"


def band(text: str) -> str:
    """A band of ages."""
    return tr("{years} years", years=text.lstrip("0") if text != "00–9" else "0–9") if text else tr("Age unknown")


def cell(name: str, value: object) -> str:
    """A cell of an asset as people read it."""
    if isinstance(value, bool):
        return tr("yes") if value else tr("no")
    if name == "kind_code":
        return kind(cjj61.kind_of(str(value)) or str(value))
    if name == "network":
        return network(str(value))
    if name == "status":
        return status(cjj61.status_of(str(value)) or str(value))
    if name in ("m", "from_m", "to_m") and isinstance(value, int | float):
        return station(float(value))
    if isinstance(value, float):
        return f"{value:,.3f}".rstrip("0").rstrip(".")
    return word_of(str(value))


def meaning(name: str) -> str:
    """What a column of a survey means."""
    return {
        "code": tr("Point"), "start": tr("From point"), "end": tr("To point"), "line_code": tr("Line code"),
        "x": tr("X (north)"), "y": tr("Y (east)"), "ground_z": tr("Ground level"), "depth": tr("Depth"),
        "z": tr("Pipe level"), "depth1": tr("Depth, from"), "depth2": tr("Depth, to"), "z1": tr("Level, from"),
        "z2": tr("Level, to"), "feature": tr("Point feature"), "appurtenance": tr("Appurtenance"), "dn": tr("Diameter"),
        "material": tr("Material"), "kind": tr("Kind"), "laying": tr("Laying"), "pressure": tr("Pressure"),
        "voltage": tr("Voltage"), "rating": tr("Pressure or voltage"), "cables": tr("Cables"), "owner": tr("Owner"),
        "year": tr("Year laid"), "status": tr("State"), "holes": tr("Ducts"),
    }.get(name, name)  # fmt: skip
