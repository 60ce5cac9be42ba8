"""The utility tunnel of the sample and its month of readings."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
import shapely

from sample_projects.tables import Table
from sample_projects.town import Sample


@pytest.fixture(scope="module")
def tunnel(sample: Sample) -> tuple[dict[str, Table], dict[str, Any], Table, dict[str, Any]]:
    tables = {table.id: table for table in sample.tables}
    return tables, sample.truth["tunnel"], sample.readings, sample.truth["readings"]


def test_it_runs_along_the_main_road(tunnel):
    tables, _, _, _ = tunnel
    length = shapely.length(tables["tunnel"].world())
    assert 3000 < length[0] < 8000
    assert tables["tunnel"].columns["to_m"][0] == pytest.approx(length[0], abs=3)


def test_lines_have_heights_and_join_at_their_nodes(tunnel):
    tables, _, _, _ = tunnel
    lines, nodes = tables["net_line"], tables["net_node"]
    assert shapely.has_z(lines.world()).all()
    at = dict(zip(nodes.columns["code"], shapely.get_coordinates(nodes.world(), include_z=True), strict=True))
    for shape, a, b in zip(lines.world(), lines.columns["from_node"], lines.columns["to_node"], strict=True):
        xyz = shapely.get_coordinates(shape, include_z=True)
        assert np.abs(xyz[0] - at[a]).max() < 0.01
        assert np.abs(xyz[-1] - at[b]).max() < 0.01


def test_every_customer_is_reached_from_a_source(tunnel):
    tables, _, _, _ = tunnel
    lines, nodes, customers = tables["net_line"].columns, tables["net_node"].columns, tables["service_point"].columns
    reached = {code for code, source in zip(nodes["code"], nodes["source"], strict=True) if source}
    ends = list(zip(lines["from_node"], lines["to_node"], strict=True))
    while more := {x for pair in ends for x in pair if reached & set(pair)} - reached:
        reached |= more
    arrival = dict(zip(lines["code"], lines["to_node"], strict=True))
    assert len(customers["line"]) >= 30
    assert all(arrival[line] in reached for line in customers["line"])


def test_pipes_lie_inside_their_compartments(tunnel):
    tables, _, _, _ = tunnel
    rooms = {
        (section, kind): shapely.from_wkt(outline)
        for section, kind, outline in zip(
            *(tables["compartment"].columns[key] for key in ("section", "kind", "outline")), strict=True
        )
    }
    places = tables["line_placement"].columns
    for section, kind, x, y, d in zip(
        *(places[k] for k in ("section", "compartment", "x", "y", "outer_d")), strict=True
    ):
        assert rooms[section, kind].contains(shapely.Point(x, y).buffer(d / 2))


def test_a_person_can_walk_beside_the_gas_pipe(tunnel):
    rooms, places = tunnel[0]["compartment"].columns, tunnel[0]["line_placement"].columns
    walls = {
        section: shapely.from_wkt(outline).bounds
        for section, kind, outline in zip(rooms["section"], rooms["kind"], rooms["outline"], strict=True)
        if kind == "燃气"
    }
    for section, kind, x, d in zip(*(places[k] for k in ("section", "compartment", "x", "outer_d")), strict=True):
        if kind == "燃气":  # GB 50838-2015 5.3.2: 0.9 m with pipes on one side
            assert max(x - d / 2 - walls[section][0], walls[section][2] - x - d / 2) >= 0.9


def test_buried_pipes_cross_with_room_between_them(tunnel):
    """Different kinds never meet, and leave at least the 0.15 m of GB 50289-2016 table 4.1.14 at crossings."""
    table = tunnel[0]["net_line"]
    buried = [
        at
        for at, (how, status) in enumerate(zip(table.columns["laying"], table.columns["status"], strict=True))
        if how == "直埋" and status == "in_use"
    ]
    shapes = np.array(table.world(), object)[buried]
    network = np.array(table.columns["network"])[buried]
    radius = np.array(table.columns["dn_mm"], float)[buried] / 2000 * 1.13
    tree = shapely.STRtree(shapes)
    crossings = 0
    for a, b in tree.query(shapes, "intersects").T:
        if network[a] < network[b]:
            point = shapely.force_2d(shapely.intersection(shapely.force_2d(shapes[a]), shapely.force_2d(shapes[b])))
            crossings += 1
            z = [
                shapely.get_z(shapely.line_interpolate_point(shapes[k], shapely.line_locate_point(shapes[k], point)))
                for k in (a, b)
            ]
            assert abs(z[0] - z[1]) - radius[a] - radius[b] >= 0.15, (table.columns["code"][buried[a]], a, b)
    assert crossings > 50


def test_fire_zones_are_no_longer_than_built_for(tunnel):
    tables, _, _, _ = tunnel
    assert max(tables["fire_zone"].columns["length_m"]) <= 200


def test_what_is_wrong_is_told(tunnel):
    tables, truth, _, _ = tunnel
    valves = tables["valve"].columns
    assert valves["operable"][valves["code"].index(truth["seized_valve"])] is False
    assert valves["operable"].count(False) == 1
    gap = truth["feed_opening_gap"]
    assert gap["to_m"] - gap["from_m"] > gap["limit_m"]


def test_a_month_of_readings_with_gaps_and_alarms(tunnel):
    tables, _, readings, month = tunnel
    sensor, ts, value = readings.sensor, readings.ts // 1000, readings.value
    assert set(sensor) == set(tables["sensor"].columns["sensor_id"])
    assert datetime.fromtimestamp(ts.min(), UTC).isoformat() == "2024-09-30T16:00:00+00:00"
    assert (ts.max() - ts.min()) / 86400 == pytest.approx(30, abs=0.02)
    assert set((ts - ts.min()) % 900) == {0}
    assert len(np.unique(sensor * 10**11 + ts)) == len(ts)
    share = len(ts) / (len(set(sensor)) * 2880)
    assert 0.97 < share < 0.999
    events = {event["kind"]: event for event in month["events"]}
    leak = value[(sensor == events["gas_leak"]["sensor_id"])]
    assert leak.max() > 25
    assert np.median(leak) < 4
    assert value[sensor == events["low_oxygen"]["sensor_id"]].min() < 19.5
    assert value[sensor == events["flooding"]["sensor_id"]].max() > 0.5
    still = (
        (sensor == events["stuck"]["sensor_id"]) & (ts >= events["stuck"]["ts"]) & (ts < events["stuck"]["ts"] + 86400)
    )
    assert len(set(value[still])) == 1
    assert value[sensor == events["standing_gas"]["sensor_id"]][-1] > 20  # the month ends with something to do
    assert value[sensor == events["standing_heat"]["sensor_id"]][-1] > 65
    assert ts[sensor == events["standing_silence"]["sensor_id"]].max() < ts.max() - 4 * 3600
    silent = (
        np.isin(sensor, events["gap"]["sensors"]) & (ts >= events["gap"]["ts"]) & (ts < events["gap"]["ts"] + 24 * 900)
    )
    assert not silent.any()


def test_what_is_fed_and_linked_is_there(tunnel):
    tables = tunnel[0]
    equipment, links = tables["equipment"].columns, tables["compartment_link"].columns
    codes = set(equipment["code"])
    assert len(codes) == len(equipment["code"]) > 500
    sources = codes | set(tables["net_line"].columns["code"])
    assert {one for one in (*equipment["fed_by"], *tables["sensor"].columns["fed_by"]) if one} <= sources
    assert {*links["a"], *links["b"]} == set(tables["fire_zone"].columns["code"])
    air = [rate for kind, rate in zip(equipment["kind"], equipment["rated_m3h"], strict=True) if kind == "排风机"]
    assert min(air) >= 6 * 2.15 * 2.8 * 180  # six changes an hour of the smallest compartment
