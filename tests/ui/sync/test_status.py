"""States in words, addresses as connection strings."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planner_app.i18n import set_language
from planner_app.ui.icons import icon_names
from planner_app.ui.sync.address import ServerAddress, parse
from planner_app.ui.sync.status import LOOKS, SyncStatus, short_time, state_sentence, state_word
from planner_app.ui.theme import LIGHT


@pytest.mark.parametrize("language", ["en", "zh_CN"])
def test_every_state_has_word_sentence_icon_and_colour(language: str) -> None:
    set_language(language)
    words = set()
    for kind, (icon, token) in LOOKS.items():
        status = SyncStatus(kind, to_push=1200, to_pull=3, conflicts=2, quarantined=1, last="2026-01-02T03:04:05+00:00")
        words.add(state_word(status))
        assert state_sentence(status)
        assert icon in icon_names()
        assert token in LIGHT
        assert all(len(word) < 28 for word in words)
    assert len(words) == len(LOOKS)
    set_language("en")


def test_figures_stand_in_the_words() -> None:
    assert state_word(SyncStatus("ahead", to_push=1200)) == "1,200 to push"
    assert state_word(SyncStatus("conflicts", conflicts=2, quarantined=1)) == "3 to decide"
    assert state_word(SyncStatus("syncing", fraction=0.42)) == "Syncing 42%"
    offline = SyncStatus("offline", to_push=4, since=datetime.now(UTC).isoformat())
    assert state_word(offline).startswith("Offline since ")
    assert "to be pushed: 4" in state_sentence(offline)


def test_times_are_as_short_as_they_can_be() -> None:
    now = datetime(2026, 10, 3, 14, 2).astimezone()
    assert short_time(now.astimezone(UTC).isoformat(), now) == "14:02"
    assert short_time((now - timedelta(days=1)).isoformat(), now) == "10-02 14:02"
    assert short_time((now - timedelta(days=400)).isoformat(), now).startswith("2025-")
    assert short_time("never", now) == ""


_TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1, max_size=12)


@settings(deadline=None)
@given(host=_TEXT.filter(lambda t: not t.startswith("/")), database=_TEXT, user=_TEXT, port=st.integers(1, 65535))
def test_an_address_survives_its_connection_string(host: str, database: str, user: str, port: int) -> None:
    address = ServerAddress(host, port, database, user)
    assert ServerAddress.of(address.conninfo()) == address
    from psycopg.conninfo import conninfo_to_dict

    assert conninfo_to_dict(address.conninfo()) == {
        "host": host, "port": str(port), "dbname": database, "user": user, "sslmode": "verify-full",
    }  # fmt: skip


def test_passwords_are_dropped_and_what_is_unknown_is_kept() -> None:
    address = ServerAddress.of("host=gis.example dbname=city user=wang password='a b' connect_timeout=5")
    assert "password" not in address.conninfo()
    assert parse(address.conninfo())["connect_timeout"] == "5"
    uri = ServerAddress.of("postgresql://wang:secret@gis.example:6432/city?sslmode=require")
    assert (uri.host, uri.port, uri.database, uri.user, uri.tls) == ("gis.example", 6432, "city", "wang", "require")
    assert "secret" not in uri.conninfo()
    assert ServerAddress.of("service=city").conninfo() == "service=city"
    assert ServerAddress.of("host=/run/x dbname=d user=u").conninfo() == "host=/run/x port=5432 dbname=d user=u"
    with pytest.raises(ValueError, match="nonsense"):
        ServerAddress.of("nonsense")
