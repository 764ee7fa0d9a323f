"""The published questions, and more of them: at most 2 % wrong in each."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.verification import guide

pytestmark = pytest.mark.django_db

MORE = Path(__file__).with_name("guide_more_questions.json")


def wrong(outcomes: list[guide.Outcome]) -> list[str]:
    return [f"{one.question.ask} -> {one.answer}" for one in outcomes if one.verdict == "wrong"]


def test_published_questions() -> None:
    outcomes = guide.measure(guide.seed())
    assert len(outcomes) == 200
    for half in ("tuned", "held_out"):
        found = [one for one in outcomes if one.question.half == half]
        assert len(found) == 100
        assert len(wrong(found)) <= 2, wrong(found)
        assert sum(one.verdict == "right" for one in found) >= 70


def test_more_questions() -> None:
    outcomes = guide.measure(guide.seed(), MORE)
    assert len(wrong(outcomes)) <= 2, wrong(outcomes)


def test_questions_differ() -> None:
    asked = [one.ask for path in (guide.QUESTIONS, MORE) for one in guide.questions(path)]
    assert len(set(asked)) == len(asked)
