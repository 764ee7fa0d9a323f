"""Pages of conversations with 100, 10,000 and 100,000 messages, in turns: does length cost anything?

python -m tests.benchmarks branches [--rounds 15]

Milliseconds (median) to read the newest page, a page before the middle and one around it, and to
switch to another version of the second message and back. The ratios are the longest to the shortest.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections import defaultdict
from collections.abc import Callable
from typing import Any

from tests.benchmarks.servers import test_database

SIZES = (100, 10_000, 100_000)


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="branches")
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args(arguments).rounds
    with test_database():
        actions = {size: _actions(size) for size in SIZES}
        taken: dict[tuple[int, str], list[float]] = defaultdict(list)
        for _ in range(rounds):
            for size, named in actions.items():
                for name, action in named.items():
                    taken[size, name].append(_milliseconds(action))
    medians = {key: round(statistics.median(found), 2) for key, found in taken.items()}
    figures = {f"{name}, {size:,} messages": value for (size, name), value in medians.items()}
    ratios = {
        name: round(medians[SIZES[-1], name] / medians[SIZES[0], name], 2)
        for name in actions[SIZES[0]]
    }
    print(json.dumps({"name": "branches", "figures": figures, "ratios": ratios}))


def _milliseconds(action: Callable[[], Any]) -> float:
    began = time.perf_counter()
    action()
    return (time.perf_counter() - began) * 1000


def _actions(size: int) -> dict[str, Callable[[], Any]]:
    """What is measured, on a conversation of that many messages."""
    from conversations import versions, windows
    from conversations.models import Branch, Conversation, Message, Role
    from conversations.windows import Anchor, Kind
    from tests.factories import ConversationFactory

    conversation: Conversation = ConversationFactory.create()
    branch = conversation.shown_branch
    for start in range(0, size, 10_000):
        text = "word " * 40
        rows = range(start, min(start + 10_000, size))
        branch.append(*(Message(role=Role.USER, text=text, html=text) for _ in rows))
    middle = branch.messages.get(place=size // 2)
    other = Branch.objects.forked(before=branch.messages.select_related("branch").get(place=2))
    other.append(Message(role=Role.USER))
    branch.show()

    def read(kind: Kind, number: int = 0) -> list[Any]:
        own = Conversation.objects.filter(pk=conversation.pk)
        window = windows.window(windows.with_window(own, Anchor(kind, number)).get())
        assert window
        return list(conversation.messages.for_page().filter(window.holds).order_by("place"))

    def switch() -> None:
        versions.show(conversation, other.pk, 2)
        versions.show(conversation, branch.pk, 2)

    return {
        "newest": lambda: read("newest"),
        "before the middle": lambda: read("before", middle.pk),
        "around the middle": lambda: read("at", middle.pk),
        "switch and back": switch,
    }
