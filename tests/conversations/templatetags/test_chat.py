from __future__ import annotations

import pytest

from conversations.templatetags.chat import at, duration, pretty_json, words


@pytest.mark.parametrize(
    ("milliseconds", "text"),
    [(0, "0 ms"), (999, "999 ms"), (3400, "3.4 s"), (125_000, "2 min 5 s")],
)
def test_durations(milliseconds: int, text: str) -> None:
    assert duration(milliseconds) == text


def test_what_nobody_can_see_is_written_out() -> None:
    assert pretty_json('{"title":"a\u202eb\u200bc"}') == '{\n  "title": "a\\u202eb\\u200bc"\n}'
    assert pretty_json("no JSON\u202e") == "no JSON\\u202e"
    assert pretty_json('{"é":"🧀"}') == '{\n  "é": "🧀"\n}'


def test_names_and_numbers() -> None:
    assert words("date_and_time") == "date and time"
    assert (at({1: 2}, 1), at({}, 1)) == (2, 0)
