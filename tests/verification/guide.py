"""The published questions, put to the Guide as its users would: `python -m tests.verification.guide`.

Each is asked through the same rounds that `conversations.replies` plays, with the real tools on the
real database, at a fixed time, by a user who has written the messages below.

- right: what was expected, or an honest "I can't" where nothing can be known.
- abstained: an "I can't" to a question that has an answer.
- wrong: everything else.
"""

from __future__ import annotations

import json
import re
import statistics
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import msgspec
import time_machine

QUESTIONS = Path(__file__).with_name("guide_questions.json")
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
ABSTAINING = re.compile(r"^(?:I can't (?:answer|do)|I found nothing)")
LINK = re.compile(r"\]\((/[^)]*)\)")
ROUNDS = 8

ALICE = {
    "Summer holiday": [
        "We want to spend the holiday in Portugal, in Lisbon and then in the Algarve, from 3 to 17 July.",
        "The budget for the trip is 2,400 euros including flights.",
        "Remind me that Tom is allergic to shellfish, so no seafood restaurants.",
    ],
    "Balcony": [
        "I planted tomatoes and courgettes on the balcony on 12 May.",
        "The lemon tree got yellow leaves, probably too much water.",
    ],
    "Work": [
        "The deadline for the quarterly report moved to 15 December.",
        "Our new database migration failed twice because of a lock on the orders table.",
        "Maria will take over the support rota from January.",
    ],
    "Kitchen": [
        "My sourdough starter needs feeding twice a day at 24 degrees.",
        "For the lasagne I used oat milk instead of béchamel and it was fine.",
    ],
    "Things to do": [
        "The dentist appointment is on Tuesday 8 December at 9:30.",
        "My physiotherapist said to do the shoulder exercises every morning.",
        "The wifi password of the guest network is on the fridge.",
        "The washing machine makes a loud noise when spinning; the repair costs 180 pounds.",
        "I finished Middlemarch and loved Dorothea, next is Bleak House.",
        "What did I say about the holiday?",
    ],
}
BOB = {"Secrets": ["My garden party is on 6 June.", "The codeword for the submarine is platypus."]}

Verdict = Literal["right", "abstained", "wrong"]


class Question(msgspec.Struct, frozen=True):
    half: str
    kind: str
    ask: str
    expect: dict[str, Any]
    before: list[str] = []


class Outcome(msgspec.Struct, frozen=True):
    question: Question
    answer: str
    verdict: Verdict
    milliseconds: float


def questions(path: Path = QUESTIONS) -> list[Question]:
    return msgspec.json.decode(path.read_bytes(), type=list[Question])


def verdict(expect: dict[str, Any], answer: str) -> Verdict:
    """Links count wherever they stand: the Guide quotes two passages where they are equally near."""
    is_refusal = bool(ABSTAINING.search(answer))
    if expect.get("abstain"):
        return "right" if is_refusal else "wrong"
    if answer.startswith("I can't answer") or (is_refusal and "link" not in expect):
        return "abstained"
    if "link" in expect:
        links = [link for link in LINK.findall(answer) if link.startswith("/help/")]
        return "right" if any(link.startswith(tuple(expect["link"])) for link in links) else "wrong"
    found = all(
        any(option.lower() in answer.lower() for option in text.split("|"))
        for text in expect["text"]
    )
    return "right" if found else "wrong"


def seed() -> int:
    """Alice's and Bob's messages. Returns Alice's id."""
    from tests.factories import ConversationFactory, MessageFactory, UserFactory

    alice, bob = UserFactory(username="alice"), UserFactory(username="bob")
    for user, conversations in ((alice, ALICE), (bob, BOB)):
        for title, texts in conversations.items():
            conversation = ConversationFactory(user=user, title=title)
            for text in texts:
                MessageFactory(conversation=conversation, text=text)
    return int(alice.pk)


async def answer(turns: list[Any], user_id: int) -> str:
    """What `conversations.replies` would show. Appends to `turns` what happened."""
    from conversations import tools
    from conversations.ai.base import ChatRequest, Text, ToolCall, Turn
    from conversations.ai.guide import GuideBackend

    backend = GuideBackend("default", {})
    context = tools.ToolContext(user_id=user_id, conversation_id="")
    text, start = "", len(turns)
    for _ in range(ROUNDS):
        request = ChatRequest(turns=tuple(turns), tools=tools.specs())
        events = [event async for event in backend.stream(request)]
        text += "".join(event.text for event in events if isinstance(event, Text))
        calls = tuple(event for event in events if isinstance(event, ToolCall))
        if not calls:
            break
        turns.append(Turn("assistant", "", tool_calls=calls))
        for call in calls:
            result = await tools.run(call.name, call.arguments, context)
            turns.append(Turn("tool", result.error or result.text, tool_call_id=call.id))
    del turns[start:]
    turns.append(Turn("assistant", text))
    return text


async def ask(question: Question, user_id: int) -> Outcome:
    from conversations.ai.base import Turn

    turns: list[Turn] = []
    for text in question.before:
        turns.append(Turn("user", text))
        await answer(turns, user_id)
    turns.append(Turn("user", question.ask))
    start = time.perf_counter()
    text = await answer(turns, user_id)
    milliseconds = (time.perf_counter() - start) * 1000
    return Outcome(question, text, verdict(question.expect, text), milliseconds)


def measure(user_id: int, path: Path = QUESTIONS) -> list[Outcome]:
    from asgiref.sync import async_to_sync

    asked = questions(path)

    async def ask_all() -> list[Outcome]:
        await ask(asked[0], user_id)  # loads the embeddings
        return [await ask(question, user_id) for question in asked]

    with time_machine.travel(NOW, tick=False):
        return async_to_sync(ask_all)()


def figures(outcomes: list[Outcome]) -> dict[str, Any]:
    """Counts for each half and both, and the time to a whole answer."""
    halves = {
        half: [one for one in outcomes if one.question.half == half]
        for half in ("tuned", "held_out")
    }
    times = sorted(one.milliseconds for one in outcomes)
    return {
        **{half: _counts(found) for half, found in halves.items()},
        "all": _counts(outcomes),
        "ms_p50": round(statistics.median(times), 1),
        "ms_p95": round(times[int(len(times) * 0.95)], 1),
    }


def _counts(outcomes: list[Outcome]) -> dict[str, int]:
    counted = Counter(one.verdict for one in outcomes)
    return {
        "questions": len(outcomes),
        **{name: counted[name] for name in ("right", "abstained", "wrong")},
    }


@contextmanager
def _database() -> Iterator[None]:
    """A database of its own on the servers of the tests."""
    import os

    from chatsite.embedded import running

    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    import django

    django.setup()
    from django.conf import settings
    from django.db import connections
    from django.test.utils import setup_databases, teardown_databases

    with running(settings.DATA_DIR, ("database",), volatile=True):
        names = setup_databases(verbosity=0, interactive=False, aliases=["default"])
        try:
            yield
        finally:
            connections.close_all()
            teardown_databases(names, verbosity=0)


def main() -> None:
    with _database():
        outcomes = measure(seed())
    for one in outcomes:
        if one.verdict != "right" and one.question.half == "tuned":
            print(f"{one.verdict}: {one.question.ask}\n    {' '.join(one.answer.split())[:160]}")  # noqa: T201
    for half in ("tuned", "held_out"):
        kinds = Counter(
            (one.question.kind, one.verdict) for one in outcomes if one.question.half == half
        )
        print(half, dict(sorted(kinds.items())))  # noqa: T201
    print(json.dumps({"name": "guide_questions", "figures": figures(outcomes)}))  # noqa: T201


if __name__ == "__main__":
    main()
