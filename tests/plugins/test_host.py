"""A third party's plugin loads from a folder; a broken one is named and left out while the rest load."""

from __future__ import annotations

import logging
from datetime import date
from pathlib import Path

import pytest

from planner_app import i18n
from planner_app.domain.finding import Verdict
from planner_app.plugin_host import PluginHost

HERE = Path(__file__).parent
THIRD_PARTY = HERE / "third_party"
BROKEN = HERE / "broken"


def test_a_dropped_folder_adds_a_verb_and_a_rule_kind() -> None:
    host = PluginHost([THIRD_PARTY])
    host.load_models()

    assert host.failures == []
    assert [verb.name for verb in host.verbs()] == ["heritage"]
    (rule,) = host.rules("heritage.")
    assert rule.in_force(date(2026, 1, 1))
    assert not rule.in_force(date(2019, 12, 31))
    judge = host.rule_kinds()["heritage.height"].judge
    assert judge(rule, 20.0, 10.0)[0].verdict is Verdict.FAIL
    assert judge(rule, 20.0, 10.0)[0].blocking
    assert judge(rule, 14.0, 10.0)[0].verdict is Verdict.PASS
    assert judge(rule, None, 10.0)[0].verdict is Verdict.CANNOT_JUDGE


def test_broken_plugins_are_named_and_isolated(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.ERROR)
    host = PluginHost([THIRD_PARTY, BROKEN])
    host.load_models()

    codes = {failure.plugin: failure.error.code for failure in host.failures}
    assert codes == {
        "raises": "plugin.failed",
        "old_api": "plugin.api_version",
        "no_toml": "plugin.manifest_broken",
        "steals_verb": "plugin.verb_taken",
    }
    assert [verb.name for verb in host.verbs()] == ["heritage"]


@pytest.mark.parametrize("language", ["en", "zh_CN"])
def test_a_failure_is_a_sentence_with_a_way_out(language: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.ERROR)
    i18n.set_language(language)
    host = PluginHost([BROKEN])
    host.load_models()

    for failure in host.failures:
        assert failure.error.code not in failure.sentence
        assert "{" not in failure.sentence
    raised = next(failure for failure in host.failures if failure.plugin == "raises")
    assert "a bug of the plugin's own" in raised.sentence


def test_the_shipped_plugins_load() -> None:
    host = PluginHost()
    host.load_models()
    assert host.failures == []
    assert host.verbs()
