from __future__ import annotations

from typing import Any

import pytest

from performance.figures import shown


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (None, "seconds", "–"),  # noqa: RUF001
        (0, "seconds", "0 s"),
        (0.000_012_3, "seconds", "12.3 µs"),
        (0.0123, "seconds", "12.3 ms"),
        (1.5, "seconds", "1.5 s"),
        (119, "seconds", "119 s"),
        (180, "seconds", "3 min"),
        (0.9873, "ratio", "98.7 %"),
        (1, "ratio", "100 %"),
        (12.345, "rate", "12.3/s"),
        (0.005, "rate", "0.005/s"),
        (0.00001, "rate", "1.0e-5/s"),
        (12_345.6, "count", "12,346"),
        (3, "count", "3"),
        (512, "bytes", "512 B"),
        (1536, "bytes", "1.5 KB"),
        (5 * 1024**4, "bytes", "5 TB"),
        (2000 * 1024**4, "bytes", "2,000 TB"),
    ],
)
def test_figures_read_as_people_read_them(value: float | None, unit: Any, text: str) -> None:
    assert shown(value, unit) == text
