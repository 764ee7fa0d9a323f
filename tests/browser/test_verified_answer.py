"""The answer that `tests.verification.resume` puts together is the one that the page's script does."""

from __future__ import annotations

import random
from typing import Any

import pytest

from tests.browser.visitor import Visitor
from tests.factories import ConversationFactory
from tests.verification.resume.answer import Answer, units
from tests.verification.resume.page import articles

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

ARTICLE = """<article class="message assistant" id="m7" data-message="7" data-branch="1" data-place="2"
    data-status="running" data-attempt="1" data-length="4" data-start="">
  <div class="tools"></div>
  <div class="prose" dir="auto" data-blocks><p>Once</p></div>
  <div class="state" data-state><p></p></div>
</article>"""
SCRIPT = """async ([article, events]) => {
  const { answer } = await import("/static/conversations/answer.js")
  document.getElementById("messages").innerHTML = article
  return events.map(([attempt, kind, ...data]) => {
    const known = answer(7)
    const said = known.accepts(attempt) && (known[kind](...data) ?? true)
    known.draw()
    const shown = known.streaming ? [known.received, known.closed, known.tail] : []
    return [said, known.attempt, known.live, known.streaming, ...shown, known.blocks.innerHTML]
  })
}"""
PIECES = ("mill ", "🦉", "\n\n", "Käse", "👩\u200d🌾", "a longer one, with words")


def events(rng: random.Random) -> list[list[Any]]:
    """As they come, but some are missing, some come again, and some begin anew."""
    found, attempt, at = [], 1, 0
    for _ in range(60):
        kind, text = rng.choice(["text"] * 6 + ["block", "begin"]), rng.choice(PIECES)
        offset = max(0, at + rng.choice([0] * 12 + [-1, -4, -9, 3]))
        attempt += rng.random() < 0.05
        match kind:
            case "begin":
                found.append([attempt, "begin"])
            case "text":
                found.append([max(1, attempt - (rng.random() < 0.1)), "text", offset, text])
                at = 0 if rng.random() < 0.08 else offset + units(text)
            case "block":
                found.append([attempt, "block", offset, f"<p>up to {offset}</p>"])
    return found


def played(told: list[list[Any]]) -> list[list[Any]]:
    """What the script says of these events, said by ours."""
    (drawn,) = articles(ARTICLE)
    known, found = Answer(drawn), []
    for attempt, kind, *data in told:
        said = known.accepts(attempt) and getattr(known, kind)(*data) is not False
        shown = [known.received, known.closed, known.tail] if known.streaming else []
        state = [said, known.attempt, known.is_live, known.streaming]
        found.append([*state, *shown, known.blocks])
    return found


def test_both_make_the_same_of_any_events(user: Visitor, person: Any) -> None:
    user.page.goto(ConversationFactory.create(user=person).get_absolute_url())
    for seed in range(10):
        told = events(random.Random(seed))
        assert user.page.evaluate(SCRIPT, [ARTICLE, told]) == played(told), seed
