"""A drawing becomes arrays and a picture: what is drawn where, what is left out, and how long it takes."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from PySide6.QtGui import QColor, QImage

from plugins.review.ui.sheet import paint
from plugins.review.ui.sheet.paint import Frame, Look, render
from plugins.review.ui.sheet.scene import Scene, build_scene, mover_of
from tests.plugins.review_ui.sheet.drawings import EAST, NORTH, drawing, entity, hatch, large, site, square

RED = 0xC0322B


def frame(x: float, y: float, metres: float, pixels: int = 400) -> Frame:
    """A square picture with its lower left corner at (EAST + x, NORTH + y)."""
    return Frame(EAST + x, NORTH + y + metres, metres / pixels, pixels, pixels)


def drawn(scene: Scene, view: Frame, **look: Any) -> QImage:
    image = render(scene, view, Look(scene.shown(scene.hidden), **look))
    assert image is not None
    return image


def at(image: QImage, view: Frame, x: float, y: float) -> QColor:
    """The pixel of a place, its strongest neighbour included."""
    px, py = view.pixels(np.array([[EAST + x, NORTH + y]]))[0]
    colours = [image.pixelColor(round(px) + i, round(py) + j) for i in (-1, 0, 1) for j in (-1, 0, 1)]
    return max(colours, key=lambda colour: colour.alpha())


def test_entities_become_lines_areas_and_words() -> None:
    scene = build_scene(site())
    assert scene.words.text == ("1号楼 18F", "2号楼", "11F", "30.00")
    assert [scene.handles[n] for n in np.unique(scene.fills.entity)] == ["13"]
    assert scene.extent() == (EAST, NORTH, EAST + 100, NORTH + 80)
    line = scene.lines.curve(0)
    assert line[0].tolist() == line[-1].tolist()  # the red line is closed
    second, third = scene.words.at[1], scene.words.at[2]
    assert second[0] == third[0]
    assert second[1] - third[1] == pytest.approx(5.0)  # 3 m high, 5/3 apart


def test_lines_areas_and_holes_are_drawn_in_their_colours() -> None:
    scene, view = build_scene(site()), frame(-10, -10, 120)
    image = drawn(scene, view)
    red = at(image, view, 50, 0)
    assert (red.red() > 150, red.green() < 120) == (True, True)
    assert at(image, view, 15, 50).green() > at(image, view, 15, 50).red()  # within the hatch
    assert at(image, view, 25, 60).alpha() == 0  # within its hole
    assert at(image, view, 50, 70).alpha() == 0
    assert at(image, view, 50, 60).alpha() > 0  # a point


def test_layers_switched_off_and_invisible_entities_are_not_drawn() -> None:
    scene, view = build_scene(site()), frame(-10, -10, 120)
    image = drawn(scene, view)
    assert at(image, view, 50, 40).alpha() == 0  # its layer is off in the file
    assert at(image, view, 80, 70).alpha() == 0  # invisible itself
    everything = render(scene, view, Look(scene.shown(frozenset())))
    assert everything is not None
    assert at(everything, view, 50, 40).blue() > 200  # switched on by a person
    assert at(everything, view, 80, 70).alpha() == 0


def test_words_are_skipped_when_too_small_to_read(monkeypatch: pytest.MonkeyPatch) -> None:
    scene = build_scene(drawing([entity("1", "TEXT", "T", [(EAST, NORTH)], text="道路红线", size=1.0)]))
    letters: list[int] = []
    real = paint.drawing_font
    monkeypatch.setattr(paint, "drawing_font", lambda pixels: letters.append(pixels) or real(pixels))
    for metres, inked in ((400, False), (100, True), (40, True)):  # 1, 4 and 10 pixels high
        image = drawn(scene, frame(-2, -5, metres))
        assert any(image.pixelColor(x, y).alpha() for x in range(0, 60) for y in range(300, 400)) is inked
    assert letters == [13]  # glyphs only where they can be read, a bar below that


def test_text_is_read_by_a_chinese_font_and_turned_with_its_angle() -> None:
    words = [entity("1", "TEXT", "T", [(EAST + 50, NORTH + 20)], text="地块编号", size=8.0, angle=90.0)]
    view = frame(0, 0, 100)
    image = drawn(build_scene(drawing(words)), view)
    inked = [(x, y) for x in range(400) for y in range(400) if image.pixelColor(x, y).alpha() > 100]
    xs, ys = [x for x, _ in inked], [y for _, y in inked]
    assert max(ys) - min(ys) > 3 * (max(xs) - min(xs))  # upwards
    assert max(xs) <= 200 + 8  # left of its baseline


def test_a_dimension_is_drawn_along_what_it_measures() -> None:
    level = entity("1", "DIMENSION", "D", [(EAST, NORTH), (EAST + 30, NORTH + 40)], value=30.0, size=2.0)
    free = entity("2", "DIMENSION", "D", [(EAST, NORTH), (EAST + 30, NORTH + 40)], value=50.0, text="约<>", angle=0.0)
    scene = build_scene(drawing([level, free]))
    assert scene.words.text == ("30.00", "约50.00")
    measured = scene.lines.curve(1)
    assert measured.tolist() == [[EAST, NORTH], [EAST + 30, NORTH]]  # horizontal, with the other leg beside it


def test_far_away_parts_are_cut_without_changing_what_is_seen() -> None:
    """A line of 2,000 km through the picture stands where it stands; an area around everything fills it."""
    x, y = EAST, NORTH
    long = entity("1", "LINE", "L", [(x - 1e6, y - 1e6), (x + 1e6, y + 1e6)], colour="#c0322b")
    around = hatch("2", "H", square(x - 1e6, y - 1e6, 2e6), square(x + 4, y + 4, 2), colour="#1f7a3d")
    view = frame(0, 0, 10)
    image = drawn(build_scene(drawing([long, around])), view)
    for place in (1.0, 5.0, 9.0):
        assert at(image, view, place, place).red() > 120
    assert at(image, view, 8, 2).green() > 100
    assert at(image, view, 5.5, 4.5).alpha() == 0


def test_what_cannot_be_moved_is_left_out() -> None:
    import shapely

    scene = build_scene(site())

    def lose_the_east(geometry: Any) -> Any:
        return shapely.transform(geometry, lambda xy: np.where(xy[:, :1] > EAST + 55, np.inf, xy + 1000))

    moved = scene.moved(mover_of(lose_the_east, 1.0))
    extent = moved.extent()
    assert extent is not None
    assert extent[2] <= EAST + 1055
    image = drawn(moved, Frame(EAST + 990, NORTH + 1090, 0.3, 400, 400))
    assert not image.isNull()


def test_moving_scales_and_turns_words_with_the_drawing() -> None:
    scene = build_scene(site())
    turned = scene.moved(lambda xy: np.column_stack([-xy[:, 1], xy[:, 0]]) * 0.5)
    before, after = (one.words.along[0] - one.words.at[0] for one in (scene, turned))
    assert np.hypot(*after) == pytest.approx(np.hypot(*before) / 2)
    assert after[0] == pytest.approx(0.0)


def test_handles_stand_for_their_parts() -> None:
    scene = build_scene(site())
    assert [scene.handles[n] for n in scene.numbers(["19", "11", "gone"])] == ["11", "19/1"]


def test_pages_are_told_apart() -> None:
    entities = [replace(entity(str(n), "LINE", "P", [(0, n), (9, n)]), page=n) for n in (1, 2)]
    scene = build_scene(drawing(entities))
    assert scene.shown(frozenset(), 2).tolist() == [False, True]
    assert scene.shown(frozenset()).tolist() == [True, True]


def test_an_unwanted_picture_is_given_up() -> None:
    scene = build_scene(large(3000))
    looks: list[int] = []
    view = frame(0, 0, 800)
    assert render(scene, view, Look(scene.shown(frozenset())), lambda: looks.append(1) or len(looks) < 3) is None
    assert len(looks) == 3


def test_nothing_to_draw_is_an_empty_picture() -> None:
    scene = build_scene(drawing([entity("1", "INSERT", "B", [(EAST, NORTH)], text="TREE")]))
    assert scene.extent() is None
    image = drawn(scene, frame(0, 0, 10))
    assert image.pixelColor(0, 399).alpha() == 0


def test_25_000_entities_are_drawn_within_a_second() -> None:
    """A plain bound on a shared machine: 0.05 s to build, 0.2 s to draw where it was measured."""
    data = large()
    started = time.perf_counter()
    scene = build_scene(data)
    drawn(scene, Frame(EAST, NORTH + 600, 0.5, 1600, 1200))
    assert time.perf_counter() - started < 2.0
