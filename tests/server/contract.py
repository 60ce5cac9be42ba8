"""What every carrier of a sync must do: inherit and give the fixtures ``connect`` and ``project``."""

from __future__ import annotations

import hashlib
import struct
from dataclasses import replace

import pytest
import shapely

from planner_app.domain.errors import PlannerError
from planner_app.domain.layer import FieldInfo
from planner_app.domain.progress import NoProgress
from planner_app.sync.transport import Transport
from planner_app.sync.types import (
    Blob,
    DefChange,
    LayerDef,
    Page,
    ProjectDef,
    PushHeader,
    PushResult,
    RowChange,
    Scope,
    Why,
)
from tests.server.builders import (
    ALL,
    FIELDS,
    Connect,
    changes,
    delete,
    insert,
    key,
    layer,
    move,
    new_layer,
    push,
    rows,
    square,
    update,
)


class TransportContract:
    """``paul`` and ``pia`` are planners, ``olaf`` is an operator."""

    @pytest.fixture
    def paul(self, connect: Connect, project: str) -> Transport:
        """A planner's connection; the project is registered."""
        transport = connect("paul")
        transport.register(ProjectDef(project, f"Town {project}", "EPSG:4547"))
        return transport

    @pytest.fixture
    def parcels(self, paul: Transport, project: str) -> LayerDef:
        """A layer on the server, as revision 1."""
        made = layer()
        assert push(paul, project, definitions=[new_layer(made)]).revision == 1
        return made

    # projects

    def test_hello(self, paul: Transport, project: str) -> None:
        said = paul.hello()
        assert (said.user, said.role, said.protocol) == ("paul", "planner", 1)
        assert ProjectDef(project, f"Town {project}", "EPSG:4547") in said.projects
        assert paul.rights(project).add_layers

    def test_registering_again_is_nothing_but_a_name_is_taken_once(self, paul: Transport, project: str) -> None:
        paul.register(ProjectDef(project, f"Town {project}", "EPSG:4547"))
        with pytest.raises(PlannerError) as caught:
            paul.register(ProjectDef(key(), f"Town {project}", "EPSG:4547"))
        assert caught.value.code == "sync.name_taken"

    def test_unknown_project(self, paul: Transport) -> None:
        for ask in (lambda: paul.head(key()), lambda: paul.rights(key()), lambda: paul.blobs(key())):
            with pytest.raises(PlannerError) as caught:
                ask()
            assert caught.value.code == "sync.project_unknown"

    # values

    def test_every_value_comes_back_bit_for_bit(self, paul: Transport, project: str, parcels: LayerDef) -> None:
        reals = [
            0.1 + 0.2,
            -0.0,
            5e-324,
            1.7976931348623157e308,
            5.0,
            1e16,
            1e-7,
            float("inf"),
            struct.unpack("<d", b"\x01\x02\x03\x04\x05\x06\x07\x40")[0],
        ]
        sent = {}
        for at, real in enumerate(reals):
            text = "Infinity" if real == float("inf") else repr(real)
            sent[key()] = {
                "name": f"地块 '{at}'\"\\ \t\n{{}},NULL", "far": text, "floors": str(-(2**63) + at), "approved": "true",
                "since": "0001-01-01", "seen": "2024-02-30T25:00 +08", "raw": "\\x00ff",
            }  # fmt: skip
        shapes = {k: square(500_000.1 + at / 3, 3_400_000.7 / (at + 1)) for at, k in enumerate(sent)}
        result = push(paul, project, [insert(parcels, k, shapes[k], **cells) for k, cells in sent.items()])
        assert (result.applied, result.refused) == (len(sent), ())
        found = rows(paul, project, parcels)
        assert {k: dict(row.cells) for k, row in found.items()} == sent
        assert {k: row.geometry for k, row in found.items()} == shapes
        assert {k: dict(row.cells) for k, row in changes(paul, project, parcels, 1).items()} == sent
        with paul.pull(project, 0) as state:
            bulk = {
                k: (shape, tuple(values)) for page in state.bulk(parcels.uuid, ALL) for k, shape, values in page.rows()
            }
        first = next(iter(sent))
        assert bulk[first] == (
            shapes[first],
            (sent[first]["name"], reals[0], -(2**63), 1, "0001-01-01", "2024-02-30T25:00 +08", b"\x00\xff"),
        )  # fmt: skip

    @pytest.mark.parametrize("bulk", [False, True])
    def test_every_kind_of_geometry(self, paul: Transport, project: str, bulk: bool) -> None:
        texts = {
            ("point", False): "POINT (1 2)", ("line", False): "LINESTRING (1 2, 3 4)",
            ("polygon", False): "POLYGON ((0 0, 1 0, 1 1, 0 0))", ("point", True): "MULTIPOINT (1 2, 3 4)",
            ("line", True): "MULTILINESTRING ((1 2, 3 4), (5 6, 7 8))",
            ("polygon", True): "MULTIPOLYGON (((0 0, 1 0, 1 1, 0 0)))", ("none", False): "",
        }  # fmt: skip
        sent: dict[str, tuple[LayerDef, str, bytes | None]] = {}
        for (kind, multi), text in texts.items():
            for has_z in (False, True) if text else (False,):
                of = LayerDef(key(), f"{kind}{multi}{has_z}", kind, has_z, multi, FIELDS[:1], {"role": ""})  # type: ignore[arg-type]
                shape = (
                    shapely.force_3d(shapely.from_wkt(text), 9.5) if has_z else shapely.from_wkt(text) if text else None
                )
                wkb = None if shape is None else bytes(shapely.to_wkb(shape, flavor="iso", byte_order=1))
                sent[of.uuid] = (of, key(), wkb)
        header = PushHeader(key(), project, "d", 0, 0 if bulk else len(sent), "d")
        changes = [insert(of, one, shape, name="x") for of, one, shape in sent.values()]
        paul.stage(header, [new_layer(of) for of, _, _ in sent.values()], [] if bulk else changes, NoProgress())
        for of, one, shape in sent.values() if bulk else ():
            paul.stage_layer(header, of, [Page.of([(one, shape, ["x"]), (key(), None, [None])])], NoProgress())
        result = paul.commit(header)
        assert (result.applied, result.refused) == (len(sent) * (2 if bulk else 1), ())
        for of, one, shape in sent.values():
            assert rows(paul, project, of)[one].geometry == shape
            assert push(paul, project, [update(of, one, name="y"), insert(of, key(), shape)]).applied == 2

    def test_minus_zero_is_a_change(self, paul: Transport, project: str, parcels: LayerDef) -> None:
        one = key()
        push(paul, project, [insert(parcels, one, far="0.0")])
        assert push(paul, project, [update(parcels, one, far="-0.0")]).applied == 1
        assert rows(paul, project, parcels)[one].cells["far"] == "-0.0"

    def test_a_bad_row_blocks_no_other(self, paul: Transport, project: str, parcels: LayerDef) -> None:
        bad = {
            "far": ("five", "nan", "1e999", "1e-999", "0x10", ""), "floors": ("1.5", "9223372036854775808", "a", ""),
            "approved": ("1", "t", "yes"), "since": ("2023-02-29", "2023-1-1", "infinity", "0000-01-01", ""),
            "raw": ("ff", "\\xf", "\\xgg"), "name": ("NUL \x00", "half \ud800"), "unknown": ("x",),
        }  # fmt: skip
        wrong = {key(): {name: text} for name, texts in bad.items() for text in texts}
        good = [key(), key()]
        staged = [insert(parcels, good[0], name="first"), *(insert(parcels, k, **cells) for k, cells in wrong.items())]
        result = push(paul, project, [*staged, insert(parcels, good[1], name="last")])
        assert {refused.uuid for refused in result.refused} == set(wrong)
        assert {r.code for r in result.refused} == {"sync.refused_value", "sync.refused_field"}
        assert result.applied == 2
        assert set(rows(paul, project, parcels)) == set(good)

    def test_bad_geometries_and_keys_are_refused_one_by_one(
        self, paul: Transport, project: str, parcels: LayerDef
    ) -> None:
        polygon = shapely.box(0, 0, 1, 1)
        wrong = [
            b"", b"\x01", b"\x01\x06\x00\x00\x00\xff\xff\xff\xff", square(0, 0)[:-3], b"\x07" + square(0, 0)[1:],
            shapely.to_wkb(polygon), shapely.to_wkb(shapely.Point(1, 2)), shapely.to_wkb(shapely.MultiPolygon()),
            shapely.to_wkb(shapely.force_3d(shapely.MultiPolygon([polygon]), 5), flavor="iso"),
            square(0, 0).replace(struct.pack("<d", 10.0), struct.pack("<d", float("nan")), 1),
            square(0, 0).replace(struct.pack("<d", 10.0), struct.pack("<d", float("inf")), 1),
        ]  # fmt: skip
        staged = [insert(parcels, key(), shape) for shape in wrong]
        staged.append(RowChange(parcels.uuid, "not-a-uuid", "insert", {"name": "x"}))
        staged.append(RowChange("no-layer", key(), "insert", {"name": "x"}))
        staged.append(RowChange(key(), key(), "insert", {"name": "x"}))
        staged.append(RowChange(parcels.uuid, key(), "update", {"name": "not there"}))
        good = key()
        result = push(paul, project, [*staged, insert(parcels, good, square(1, 1))])
        codes = [refused.code for refused in result.refused]
        assert codes == ["sync.refused_geometry"] * len(wrong) + [
            "sync.refused_uuid", "sync.refused_layer", "sync.refused_layer", "sync.refused_gone",
        ]  # fmt: skip
        assert set(rows(paul, project, parcels)) == {good}

    # pushing

    def test_updates_and_deletes(self, paul: Transport, project: str, parcels: LayerDef) -> None:
        a, b = key(), key()
        push(paul, project, [insert(parcels, a, square(0, 0), name="a", far="1.5"), insert(parcels, b, name="b")])
        result = push(paul, project, [update(parcels, a, far=None), delete(parcels, b)])
        assert (result.revision, result.applied) == (3, 2)
        assert set(rows(paul, project, parcels)) == {a}
        seen = changes(paul, project, parcels, 2)
        assert seen[a].changed == {"far"}
        assert dict(seen[a].cells) == {"far": None}
        assert seen[b].gone
        moved = push(paul, project, [move(parcels, a, square(5, 5))])
        row = changes(paul, project, parcels, 3)[a]
        assert (row.changed, row.geometry, dict(row.cells), row.revision) == (
            {"geom"},
            square(5, 5),
            {},
            moved.revision,
        )
        push(paul, project, [move(parcels, a, None)])
        assert rows(paul, project, parcels)[a].geometry is None

    def test_an_insert_says_the_whole_record(self, paul: Transport, project: str, parcels: LayerDef) -> None:
        a = key()
        push(paul, project, [insert(parcels, a, square(0, 0), name="a", far="1.5")])
        assert push(paul, project, [insert(parcels, a, name="b")]).applied == 1
        row = rows(paul, project, parcels)[a]
        assert (row.geometry, row.cells["name"], row.cells["far"]) == (None, "b", None)

    def test_what_changes_nothing_makes_no_revision(self, paul: Transport, project: str, parcels: LayerDef) -> None:
        a = key()
        push(paul, project, [insert(parcels, a, square(0, 0), far="2.0")])
        same = [update(parcels, a, far="2"), delete(parcels, key())]
        assert push(paul, project, same) == PushResult()
        assert paul.head(project).revision == 2

    def test_a_push_again_is_the_same_push(
        self, paul: Transport, connect: Connect, project: str, parcels: LayerDef
    ) -> None:
        header = PushHeader(key(), project, "desk-1", 1, 1, "digest")
        row = [insert(parcels, key(), name="once")]
        assert paul.result(project, header.push_id) is None
        paul.stage(header, [], row, NoProgress())
        paul.stage(header, [], row, NoProgress())  # after a cut
        first = paul.commit(header)
        assert (first.revision, first.applied) == (2, 1)
        again = connect("paul")
        assert again.commit(header) == first
        assert again.result(project, header.push_id) == first
        assert paul.head(project).revision == 2

    def test_what_was_staged_in_part_is_not_committed(self, paul: Transport, project: str, parcels: LayerDef) -> None:
        header = PushHeader(key(), project, "desk-1", 1, 2, "digest")
        paul.stage(header, [], [insert(parcels, key(), name="one of two")], NoProgress())
        with pytest.raises(PlannerError) as caught:
            paul.commit(header)
        assert caught.value.code == "sync.stage_incomplete"
        assert paul.head(project).revision == 1

    def test_behind_only_by_the_same_records(
        self, paul: Transport, connect: Connect, project: str, parcels: LayerDef
    ) -> None:
        pia, a, b, c = connect("pia"), key(), key(), key()
        push(paul, project, [insert(parcels, k, name="0") for k in (a, b, c)])
        assert push(pia, project, [update(parcels, a, name="pia"), delete(parcels, c)], seen=2).revision == 3
        assert push(paul, project, [update(parcels, b, name="paul")], seen=2).revision == 4
        for mine in (
            update(parcels, a, far="1.0"),
            delete(parcels, a),
            update(parcels, c, name="late"),
            insert(parcels, c, name="late"),
        ):
            assert push(paul, project, [mine, update(parcels, b, name="not taken")], seen=2).behind
        assert rows(paul, project, parcels)[b].cells["name"] == "paul"
        assert push(paul, project, [update(parcels, a, name="merged")], seen=4).revision == 5

    def test_revisions_form_a_chain_without_gaps(
        self, paul: Transport, connect: Connect, project: str, parcels: LayerDef
    ) -> None:
        a = key()
        why = (Why("SetAttributes", '{"field": "far"}', "2026-10-01T08:00:00", 1),)
        result = push(paul, project, [insert(parcels, a, far="1.0")], why=why, message="复核")
        push(connect("pia"), project, [update(parcels, a, far="2.0")])
        head = paul.head(project, 2)
        assert (head.revision, head.chain_at) == (3, result.chain)
        listed = paul.revisions(project)
        assert [r.revision for r in listed] == [3, 2, 1]
        assert [r.chain for r in listed[:2]] == [head.chain, result.chain]
        assert (listed[1].user, listed[1].why, listed[1].message, listed[1].rows, listed[1].client_id) == (
            "paul", why, "复核", 1, "desk-1",
        )  # fmt: skip
        assert [r.revision for r in paul.revisions(project, before=3, limit=1)] == [2]
        assert listed[0].time.endswith("+00:00")
        assert paul.head(project, 99).chain_at == ""

    # the registry

    def test_plans_and_layers_come_to_others(
        self, paul: Transport, connect: Connect, project: str, parcels: LayerDef
    ) -> None:
        plan = DefChange("plan", "p1", "insert", {"kind": "detailed", "name": "控规"})
        extra = (*FIELDS, FieldInfo("height", "real", "高度"))
        wider = LayerDef(parcels.uuid, "parcel", "polygon", False, True, extra)
        more = DefChange("layer", parcels.uuid, "update", {"plan_id": "p1", "name": "地块"}, wider)
        assert push(paul, project, definitions=[plan, more]).revision == 2
        pia, a = connect("pia"), key()
        with pia.pull(project, 1) as state:
            seen = {(d.kind, d.key): d for d in state.definitions}
            assert seen["plan", "p1"].operation == "insert"
            assert dict(seen["plan", "p1"].cells) == {"kind": "detailed", "name": "控规"}
            changed = seen["layer", parcels.uuid]
            assert (changed.operation, changed.cells["name"], changed.cells["plan_id"]) == ("update", "地块", "p1")
            assert changed.layer is not None
            assert changed.layer.fields == extra
            assert [of.uuid for of in state.layers] == [parcels.uuid]
        assert push(pia, project, [insert(wider, a, height="12.5")]).applied == 1
        assert rows(paul, project, wider)[a].cells["height"] == "12.5"
        with pia.pull(project, 0) as state:
            assert [(d.kind, d.operation) for d in state.definitions] == [("plan", "insert"), ("layer", "insert")]
        with pia.pull(project, 2) as state:
            assert list(state.definitions) == []

    def test_a_field_of_another_type_is_refused(self, paul: Transport, project: str, parcels: LayerDef) -> None:
        other = LayerDef(parcels.uuid, "parcel", "polygon", False, True, (FieldInfo("far", "text"),))
        result = push(paul, project, definitions=[DefChange("layer", parcels.uuid, "update", {}, other)])
        assert [(r.layer, r.code) for r in result.refused] == [(parcels.uuid, "sync.refused_definition")]

    def test_a_retired_layer_is_gone(self, paul: Transport, connect: Connect, project: str, parcels: LayerDef) -> None:
        push(paul, project, definitions=[DefChange("layer", parcels.uuid, "delete")])
        pia = connect("pia")
        with pia.pull(project, 1) as state:
            assert [(d.kind, d.key, d.operation) for d in state.definitions] == [("layer", parcels.uuid, "delete")]
            assert list(state.layers) == []
        refused = push(pia, project, [insert(parcels, key(), name="late")]).refused
        assert [r.code for r in refused] == ["sync.refused_layer"]
        wider = replace(parcels, fields=(*parcels.fields, FieldInfo("late", "real")))  # who added a field kept it
        back = DefChange("layer", parcels.uuid, "update", dict(parcels.cells), wider)
        assert push(pia, project, [insert(wider, a := key(), late="1.5")], [back]).refused == ()
        assert rows(paul, project, wider)[a].cells["late"] == "1.5"

    def test_two_who_change_one_definition(
        self, paul: Transport, connect: Connect, project: str, parcels: LayerDef
    ) -> None:
        rename = DefChange("layer", parcels.uuid, "update", {"name": "paul's"})
        assert push(paul, project, definitions=[rename]).revision == 2
        mine = DefChange("layer", parcels.uuid, "update", {"name": "pia's"})
        assert push(connect("pia"), project, definitions=[mine], seen=1).behind

    def test_a_locked_layer_refuses_edits(self, paul: Transport, project: str, parcels: LayerDef) -> None:
        lock = DefChange("layer", parcels.uuid, "update", {"locked": "1"})
        # What was edited before the lock goes in with it.
        assert push(paul, project, [insert(parcels, key(), name="in time")], [lock]).refused == ()
        assert [r.code for r in push(paul, project, [insert(parcels, key(), name="late")]).refused] == [
            "sync.refused_locked"
        ]
        unlock = DefChange("layer", parcels.uuid, "update", {"locked": "0"})
        assert push(paul, project, [insert(parcels, key(), name="again")], [unlock]).applied == 1

    def test_a_whole_layer_in_bulk(self, paul: Transport, connect: Connect, project: str) -> None:
        made = layer("地块 2026")
        keys = [key() for _ in range(50)]
        sent = [
            (k, square(at, at), [f"n{at}", at / 3, at, at % 2, "2024-02-29", "x", b"\x00"]) for at, k in enumerate(keys)
        ]
        header = PushHeader(key(), project, "desk-1", 0, 0, "d")
        bad = [("nonsense", None, [None] * 7), (key(), None, ["text", "no real", None, None, None, None, None])]
        paul.stage(header, [new_layer(made)], [], NoProgress())
        paul.stage_layer(header, made, [Page.of([*sent, *bad])], NoProgress())
        with connect("pia").pull(project, 0) as state:
            assert list(state.layers) == []
        result = paul.commit(header)
        assert (result.revision, result.applied) == (1, 50)
        assert {r.uuid for r in result.refused} == {k for k, _, _ in bad}
        with connect("pia").pull(project, 0) as state:
            came = [(k, shape, list(v)) for page in state.bulk(made.uuid, ALL) for k, shape, v in page.rows()]
            assert sorted(came) == sorted(sent)
            assert {row.uuid for row in state.changes(made.uuid, ALL)} == set(keys)
            assert set(state.keys(made.uuid, ALL)) == set(keys)
        assert push(paul, project, [update(made, keys[0], far="9.5")]).applied == 1
        assert changes(paul, project, made, 1)[keys[0]].changed == {"far"}
        of_first = paul.history(project, layer=made.uuid, uuid=keys[0])
        assert [(row.revision, row.operation) for row in of_first] == [(2, "update"), (1, "insert")]
        assert (of_first[1].geometry_after, of_first[1].after["far"], of_first[1].after["name"]) == (
            square(0, 0), "0.0", "n0",
        )  # fmt: skip
        assert {row.uuid for row in paul.history(project, revision=1)} == set(keys)

    def test_hostile_names(self, paul: Transport, project: str) -> None:
        names = [
            '"; DROP SCHEMA planner CASCADE; --',
            "'",
            "%s",
            "uuid2",
            "rev",
            "ctid",
            "Far",
            "far",
            "字" * 60,
            "a" * 100,
            "$1",
            "\\",
            " ",
        ]
        made = layer("'; DROP TABLE planner.project; --\"", [FieldInfo(name, "text", name) for name in names])
        a = key()
        cells = {name: f"value of {name}" for name in names}
        result = push(paul, project, [RowChange(made.uuid, a, "insert", cells)], [new_layer(made)])
        assert (result.applied, result.refused) == (1, ())
        assert dict(rows(paul, project, made)[a].cells) == cells
        twin = layer("'; DROP TABLE planner.project; --\"")
        assert push(paul, project, definitions=[new_layer(twin)]).refused == ()

    # scope

    def test_an_area(self, paul: Transport, project: str, parcels: LayerDef) -> None:
        inside, outside, nowhere = key(), key(), key()
        area = Scope(box=(0.0, 0.0, 100.0, 100.0))
        push(
            paul,
            project,
            [
                insert(parcels, inside, square(90, 90)),
                insert(parcels, outside, square(100.000001, 0)),
                insert(parcels, nowhere, name="n"),
            ],
        )
        assert set(rows(paul, project, parcels, area)) == {inside, nowhere}
        at = paul.head(project).revision
        push(paul, project, [move(parcels, inside, square(500, 500)), move(parcels, outside, square(1, 1))])
        seen = changes(paul, project, parcels, at, area)
        assert seen[inside].gone
        assert (seen[outside].gone, seen[outside].geometry) == (False, square(1, 1))
        with paul.pull(project, 0) as state:
            assert set(state.keys(parcels.uuid, area)) == {outside, nowhere}
            assert {row.uuid for row in state.rows(parcels.uuid, ALL, [inside, key()])} == {inside}
            assert list(state.rows(parcels.uuid, Scope(frozenset()))) == []

    # history

    def test_history_and_time_travel(self, paul: Transport, project: str, parcels: LayerDef) -> None:
        a, b = key(), key()
        push(
            paul,
            project,
            [insert(parcels, a, square(0, 0), name="a1", far="1.0"), insert(parcels, b, square(900, 900), name="b1")],
        )
        push(paul, project, [update(parcels, a, name="a2"), delete(parcels, b)])
        push(paul, project, [move(parcels, a, square(50, 50)), insert(parcels, b, name="b2")])
        of_a = paul.history(project, layer=parcels.uuid, uuid=a)
        assert [(row.revision, row.operation) for row in of_a] == [(4, "update"), (3, "update"), (2, "insert")]
        assert (of_a[0].geometry_before, of_a[0].geometry_after) == (square(0, 0), square(50, 50))
        assert (dict(of_a[1].before), dict(of_a[1].after)) == ({"name": "a1"}, {"name": "a2"})
        assert dict(of_a[2].after) == {"name": "a1", "far": "1.0"}
        assert {row.uuid for row in paul.history(project, revision=3)} == {a, b}
        assert [(row.revision, row.uuid) for row in paul.history(project, box=(895, 895, 905, 905))] == [(3, b), (2, b)]
        assert [row.revision for row in paul.history(project, box=(55, 55, 56, 56))] == [4]

        def state(revision: int) -> dict[str, tuple[object, ...]]:
            found = paul.as_of(project, parcels.uuid, revision, ALL)
            return {row.uuid: (row.cells["name"], row.cells["far"], row.geometry) for row in found}

        assert state(1) == {}
        assert state(2) == {a: ("a1", "1.0", square(0, 0)), b: ("b1", None, square(900, 900))}
        assert state(3) == {a: ("a2", "1.0", square(0, 0))}
        assert state(4) == {a: ("a2", "1.0", square(50, 50)), b: ("b2", None, None)}
        near = paul.as_of(project, parcels.uuid, 2, Scope(box=(800.0, 800.0, 1000.0, 1000.0)))
        assert [row.uuid for row in near] == [b]

    # attachments and readings

    def test_attachments_in_pieces(self, paul: Transport, connect: Connect, project: str) -> None:
        content = b"a" * (1 << 20) + b"drawing"
        name = hashlib.sha256(content).hexdigest()
        blob = Blob(name, "图纸.dwg", "image/vnd.dwg", len(content), 2)
        assert paul.blob_pieces(project, name) == set()
        paul.put_piece(project, name, 1, content[1 << 20 :])
        assert paul.blob_pieces(project, name) == {1}
        assert paul.blobs(project) == []
        with pytest.raises(PlannerError) as caught:
            connect("pia").get_piece(project, name, 1)
        assert caught.value.code == "sync.blob_missing"
        paul.put_piece(project, name, 0, content[: 1 << 20])
        paul.finish_blob(project, blob)
        assert paul.blob_pieces(project, name) is None
        assert connect("pia").blobs(project) == [blob]
        assert b"".join(connect("pia").get_piece(project, name, at) for at in range(2)) == content

    def test_an_attachment_of_another_content_does_not_count(self, paul: Transport, project: str) -> None:
        name = hashlib.sha256(b"promised").hexdigest()
        paul.put_piece(project, name, 0, b"sent")
        with pytest.raises(PlannerError) as caught:
            paul.finish_blob(project, Blob(name, "x", "", 4, 1))
        assert caught.value.code == "sync.blob_wrong"
        assert paul.blobs(project) == []
        paul.put_piece(project, name, 0, b"promised")
        paul.finish_blob(project, Blob(name, "x", "", 8, 1))
        assert [blob.sha256 for blob in paul.blobs(project)] == [name]

    def test_readings_count_once(self, paul: Transport, connect: Connect, project: str) -> None:
        olaf = connect("olaf")
        day = 1_760_000_000_000
        sent = [
            (1, day, 20.5, 0),
            (1, day + 1000, None, 2),
            (2, day - 90 * 86_400_000, -0.1, 1),
            (2, -1, 1.0, 0),
            (2, 10**14, 2.0, 0),
        ]
        assert olaf.put_readings(project, sent) == 5
        assert olaf.put_readings(project, [*sent, (3, day, 1.0, 0)]) == 1
        found = list(paul.readings(project, 0))
        assert sorted(row[1:] for row in found) == sorted([*sent, (3, day, 1.0, 0)], key=lambda r: r[:2])
        assert [row[1] for row in paul.readings(project, found[0][0])] == [3]
