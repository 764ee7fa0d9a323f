from __future__ import annotations

import re
from io import StringIO

import pytest

from chatsite.up.progress import Progress
from chatsite.up.signals import Interrupted


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


def test_a_step_says_what_came_of_it_and_how_long() -> None:
    out = StringIO()
    with Progress(out).step("Tables") as step:
        assert out.getvalue().startswith("  Tables ...")
        step.result = "3 made"
    assert re.fullmatch(r"  Tables \.+ 3 made, \d\.\d s\n", out.getvalue())


def test_lines_in_the_middle_do_not_tear_a_step_apart() -> None:
    out = StringIO()
    progress = Progress(out)
    with progress.step("Web"):
        progress.say("a line")
    first, middle, last = out.getvalue().splitlines()
    assert middle == "a line"
    assert last.startswith(first)
    assert "ready" in last


@pytest.mark.parametrize(("error", "word"), [(ValueError, "failed"), (Interrupted, "interrupted")])
def test_a_step_that_fails_says_so(error: type[BaseException], word: str) -> None:
    out = StringIO()
    with pytest.raises(error), Progress(out).step("Tables"):
        raise error
    assert out.getvalue().endswith(f" {word}\n")


def test_colours_are_for_terminals_that_want_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert "\x1b" not in Progress(StringIO()).strong("x")
    assert "\x1b" in Progress(Terminal()).strong("x")
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in Progress(Terminal()).strong("x")
