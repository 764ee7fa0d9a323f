from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
import structlog

from performance import logs


@pytest.fixture(autouse=True)
def _unconfigured() -> Iterator[None]:
    before = structlog.get_config()
    structlog.reset_defaults()
    yield
    structlog.configure(**before)


def test_events_go_through_logging(
    caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    logs.configure()
    logger = structlog.get_logger("performance.somewhere")
    with caplog.at_level(logging.INFO):
        logger.debug("quiet")
        logger.warning("queue_full", level="high", share=100.0)
        try:
            int("100 %s")
        except ValueError:
            logger.exception("failed")
    first, second = caplog.records
    assert (first.name, first.levelname) == ("performance.somewhere", "WARNING")
    assert first.getMessage() == "queue_full level='high' share=100.0"
    assert second.getMessage() == "failed"
    assert "'100 %s'" in caplog.text
    assert capsys.readouterr().out == ""


def test_what_a_project_has_set_up_stays() -> None:
    def own(*_args: object) -> str:
        return ""

    structlog.configure(processors=[own])
    logs.configure()
    assert structlog.get_config()["processors"] == [own]
