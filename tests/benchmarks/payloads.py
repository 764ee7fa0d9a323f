"""What a chat keeps in its cache, made from a seed: texts that were not in the dictionary's training."""

from __future__ import annotations

import random
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

SENTENCES = """
Can you explain why my export finishes but the file stays empty?
The report opens on my laptop, yet the numbers in the last column look wrong.
Please write a short answer that I may send to our supplier today.
It depends on the contract: look for the paragraph about late deliveries.
I tried that twice and the second time it printed a warning about memory.
A warning like this is harmless as long as the process goes on afterwards.
Here is a table with the three options, their price and what they leave out.
What would you choose if you had only one week for the whole move?
I would start with the smallest part, measure it, and only then decide.
Thanks, this helps a lot. Could you add an example with dates?
Sure. Suppose the meeting is on a Friday and the deadline falls on the Monday after.
The function returns nothing because the loop ends before the condition is met.
Rename the variable, move the check to the top and run the tests again.
My team speaks German and Spanish, so the summary should be easy to translate.
In short: keep the old server until the new one has run for a month.
How many people can join the call before the picture gets bad?
That limit comes from your router rather than from the program itself.
Summarise the attached notes in five bullet points, without names.
I am not sure about the second figure; the source gives two different values.
Let us compare both values with last year's average before we publish them.
""".strip().splitlines()
EPOCH = datetime(2026, 3, 1, 8, tzinfo=UTC)


def text(rng: random.Random, sentences: int) -> str:
    return " ".join(rng.choice(SENTENCES) for _ in range(sentences))


def message(rng: random.Random, number: int) -> dict[str, Any]:
    role = ("user", "assistant")[number % 2]
    words = text(rng, rng.randint(1, 2) if role == "user" else rng.randint(2, 5))
    return {
        "id": 1_000_000 + rng.randrange(10**6),
        "role": role,
        "text": words,
        "html": f"<p>{words}</p>",
        "created_at": EPOCH + timedelta(seconds=rng.randrange(10**7)),
        "status": "complete",
        "tool_runs": [],
    }


def conversation(seed: int = 1, messages: int = 50) -> list[dict[str, Any]]:
    """A page of a conversation: about 25 KB as JSON for 50 messages."""
    rng = random.Random(seed)
    return [message(rng, number) for number in range(messages)]


def small(seed: int = 1) -> dict[str, Any]:
    """About 200 bytes, of the size and shape of a session or a list row."""
    rng = random.Random(seed)
    return {
        "id": str(uuid.UUID(int=rng.getrandbits(128), version=4)),
        "user_id": rng.randrange(10**5),
        "title": rng.choice(SENTENCES)[:40],
        "last_message_at": EPOCH + timedelta(seconds=rng.randrange(10**7)),
        "unread": False,
    }


def one_message(seed: int = 1) -> dict[str, Any]:
    return message(random.Random(seed), seed)
