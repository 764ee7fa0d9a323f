from __future__ import annotations

from typing import Any

import pytest

from performance.alerts import writing


@pytest.mark.parametrize(
    ("runbook", "path"),
    [
        ("disk-full", "/admin/performance/alert/runbooks/disk-full/"),
        ("https://example.org/runbooks/disk", "https://example.org/runbooks/disk"),
        ("no-such-page", ""),
        ("../runbooks/disk-full", ""),
        ("", ""),
    ],
)
def test_only_a_runbook_that_can_be_read_is_linked(runbook: str, path: str) -> None:
    assert writing.path_of(runbook) == path


def test_without_a_directory_there_are_no_runbooks(settings: Any) -> None:
    settings.PERFORMANCE = settings.PERFORMANCE | {"ALERTS": {}}
    assert writing.path_of("disk-full") == ""
