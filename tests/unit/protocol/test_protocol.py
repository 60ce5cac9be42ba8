"""Messages survive any cut of the stream; pictures survive the way through the mapped file."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner_app.protocol import framing
from planner_app.protocol.pixels import SLOTS, PixelFile, new_file, remove_orphans

ROOT = Path(__file__).resolve().parent.parent.parent.parent

_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc地块", max_size=4), inner, max_size=3),
    max_leaves=8,
)


@given(st.lists(st.dictionaries(st.text("xyz", min_size=1), _values, max_size=4), max_size=5), st.data())
def test_messages_arrive_whole_however_the_stream_is_cut(messages: list[dict[str, Any]], data: st.DataObject) -> None:
    stream = b"".join(framing.encode(message) for message in messages)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=6)))
    decoder, heard = framing.Decoder(), []
    for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        heard += decoder.feed(stream[start:end])
    assert heard == messages


@pytest.mark.parametrize(
    "stream",
    [b"\xff\xff\xff\xff", (3).to_bytes(4, "big") + b"[1]", (2).to_bytes(4, "big") + b"{x", b"GET / HTTP/1.1\r\n"],
)
def test_what_is_no_message_breaks_the_stream(stream: bytes) -> None:
    with pytest.raises(framing.BrokenStream):
        framing.Decoder().feed(stream)


def test_pictures_of_a_view_do_not_overwrite_each_other() -> None:
    ours = PixelFile(new_file("test"))
    ours.reserve(16)
    theirs = PixelFile(ours.path)
    slots = [theirs.write(memoryview(bytes([n] * 16)), 16) for n in range(SLOTS)]
    assert len(set(slots)) == SLOTS
    for n, slot in enumerate(slots):
        view = ours.read(slot, 16, 16)
        assert bytes(view) == bytes([n] * 16)
        view.release()
    theirs.close()
    ours.remove()
    assert not ours.path.exists()


def test_a_larger_picture_finds_room_in_the_same_file() -> None:
    ours = PixelFile(new_file("test"))
    ours.reserve(16)
    theirs = PixelFile(ours.path)
    theirs.write(memoryview(b"a" * 16), 16)
    ours.reserve(64)
    slot = theirs.write(memoryview(b"b" * 64), 64)
    view = ours.read(slot, 64, 64)
    assert bytes(view) == b"b" * 64
    view.release()
    theirs.close()
    ours.remove()


def test_without_reserved_room_nothing_is_written() -> None:
    ours = PixelFile(new_file("test"))
    with pytest.raises(ValueError, match=r"mmap|empty"):
        ours.write(memoryview(b"a" * 16), 16)
    ours.remove()


def test_only_this_user_may_look() -> None:
    path = new_file("test")
    assert path.stat().st_mode & 0o077 == 0
    path.unlink()


@pytest.mark.skipif(os.name != "posix", reason="files of killed shells are told by their process only there")
def test_what_killed_shells_left_is_swept_and_nothing_else() -> None:
    made = subprocess.run(
        [sys.executable, "-c", "from planner_app.protocol.pixels import new_file; print(new_file('map'))"],
        env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    orphan, own = Path(made.stdout.strip()), new_file("map")
    foreign = Path(tempfile.gettempdir()) / f"planner-notes-{os.getpid()}.txt"
    foreign.touch()
    assert orphan in remove_orphans()
    assert not orphan.exists()
    assert own.exists()
    assert foreign.exists()
    own.unlink()
    foreign.unlink()


def test_a_full_memory_folder_is_left_for_the_disk(monkeypatch: pytest.MonkeyPatch, qapp: Any) -> None:
    from planner_app.engine_client import EngineClient

    client = EngineClient()
    view = client.view("map")
    first = view._pixels.path
    real, refused = os.posix_fallocate, []

    def full(descriptor: int, offset: int, length: int) -> None:
        if not refused:
            refused.append(length)
            raise OSError(errno.ENOSPC, "No space left on device")
        real(descriptor, offset, length)

    monkeypatch.setattr(os, "posix_fallocate", full)
    view._reserve(4096)
    assert refused == [4096 * SLOTS]
    assert not first.exists()
    assert view._pixels.path.parent == Path(tempfile.gettempdir())
    client.stop()
    assert not view._pixels.path.exists()
