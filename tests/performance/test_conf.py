from __future__ import annotations

import dataclasses
from typing import Any
from unittest import mock

import pytest
from django.core.checks import run_checks
from django.db import connections

from performance import checks, conf


def test_defaults() -> None:
    settings, errors = conf.read({})
    assert errors == []
    assert settings.cache.enabled is True


def test_what_is_given() -> None:
    settings, errors = conf.read({"CACHE": {"ENABLED": False, "STATS_SECONDS": 1}})
    assert errors == []
    assert (settings.cache.enabled, settings.cache.stats_seconds) == (False, 1)


@pytest.mark.parametrize(
    "block", [{"CAHCE": {}}, {"CACHE": {"ENABLE": True}}, {"CACHE": {"enabled": True}}]
)
def test_unknown_keys_are_refused_by_a_check(block: dict[str, Any], settings: Any) -> None:
    settings.PERFORMANCE = block
    assert [error.id for error in run_checks() if error.id == "performance.E001"] == [
        "performance.E001"
    ]


@pytest.mark.parametrize(
    ("block", "said"),
    [
        (None, "PERFORMANCE must be a dictionary."),
        ({"CACHE": True}, "PERFORMANCE['CACHE'] must be a dictionary."),
        ({"CACHE": {"ENABLED": "no"}}, "PERFORMANCE['CACHE']['ENABLED'] must be True or False."),
        (
            {"METRICS": {"KEEP_LIVE": 1.5}},
            "PERFORMANCE['METRICS']['KEEP_LIVE'] must be a whole number.",
        ),
        ({"QUERIES": {"SLOW_MS": True}}, "PERFORMANCE['QUERIES']['SLOW_MS'] must be a number."),
        (
            {"METRICS": {"IGNORE_PATHS": "/static/"}},
            "PERFORMANCE['METRICS']['IGNORE_PATHS'] must be a list.",
        ),
        ({"HEALTH": {"TOKEN": 5}}, "PERFORMANCE['HEALTH']['TOKEN'] must be text."),
        ({"ALERTS": {"CHANNELS": []}}, "PERFORMANCE['ALERTS']['CHANNELS'] must be a dictionary."),
        ({7: {}}, "PERFORMANCE has no section 7; it has"),
    ],
)
def test_what_has_a_wrong_type_is_said_and_has_its_default(
    block: Any, said: str, settings: Any
) -> None:
    settings.PERFORMANCE = block
    (error,) = [error.msg for error in run_checks() if error.id == "performance.E001"]
    assert error.startswith(said)
    assert conf.current() == conf.PerformanceSettings()


def test_every_field_has_a_type_that_is_looked_at() -> None:
    for section in dataclasses.fields(conf.PerformanceSettings):
        standard = getattr(conf.PerformanceSettings(), section.name)
        given = {f.name.upper(): getattr(standard, f.name) for f in dataclasses.fields(standard)}
        assert conf.read({section.name.upper(): given})[1] == []


def test_settings_are_read_anew_when_they_change(settings: Any) -> None:
    settings.PERFORMANCE = {"CACHE": {"ENABLED": False}}
    assert conf.current().cache.enabled is False
    settings.PERFORMANCE = {}
    assert conf.current().cache.enabled is True


@pytest.mark.parametrize(
    ("prefixes", "warned"),
    [(("a", "a:1"), True), (("a", "a:1:b"), True), (("", ":2"), True)]
    + [((one, two), False) for one, two in (("a", "a:b"), ("a", "a1"), ("a", "b"), ("a", "a"))],
)
def test_a_prefix_inside_another_is_warned_of(
    prefixes: tuple[str, str], settings: Any, *, warned: bool
) -> None:
    place = settings.CACHES["default"]
    settings.CACHES = {
        alias: {**place, "KEY_PREFIX": prefix}
        for alias, prefix in zip(("default", "other"), prefixes, strict=True)
    }
    found = [warning.id for warning in run_checks() if warning.id == "performance.W001"]
    assert found == (["performance.W001"] if warned else [])


@pytest.mark.parametrize(
    ("optional", "refused"), [(["cache", "workers"], []), (["cache", "worker"], ["worker"])]
)
def test_services_that_there_are_none_of_cannot_be_optional(
    settings: Any, optional: list[str], refused: list[str]
) -> None:
    settings.PERFORMANCE = {"HEALTH": {"OPTIONAL": optional}}
    found = [error.msg for error in run_checks() if error.id == "performance.E004"]
    assert [repr(name) in message for name, message in zip(refused, found, strict=True)] == [
        True
    ] * len(refused)


def test_the_tables_want_postgresql() -> None:
    assert checks.check_database(databases=["default"]) == []
    with mock.patch.object(connections["default"], "vendor", "sqlite"):
        (error,) = checks.check_database(databases=["default"])
        assert error.id == "performance.E003"
        assert checks.check_database(databases=None) == [], "asked by `migrate` alone"
