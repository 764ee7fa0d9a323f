"""What the model tells: a text for each number, known beforehand, in pieces as a model would send it."""

from __future__ import annotations

import random
import re
from functools import lru_cache

ASKED = re.compile(r"Tell story (\d+)\.")
# Some of more than one UTF-16 unit, by which frames count; some that Markdown marks.
WORDS = (
    *("brook", "Käse", "naïve", "🦉", "straße", "mill", "*well*", "👩\u200d🌾", "ford"),
    *("`code`", "reed", "Åland", "owl", "hay", "中文", "**barn**", "elm"),
)


def question(number: int) -> str:
    return f"Tell story {number}."


def asked(text: str) -> int | None:
    """The number of the story that is wanted; None where none is."""
    found = ASKED.search(text)
    return int(found[1]) if found else None


@lru_cache(maxsize=1024)
def pieces(number: int) -> tuple[str, ...]:
    """About 50 of them; every word has a number, so that one that is lost, or there twice, is seen."""
    rng = random.Random(number)
    words = [f"{at}{rng.choice(WORDS)}" for at in range(rng.randint(120, 200))]
    text = "".join(word + rng.choice((" ", " ", " ", " ", "\n\n", "\n- ")) for word in words)
    found, at = [], 0
    while at < len(text):
        end = at + rng.randint(8, 40)
        found.append(text[at:end])
        at = end
    return tuple(found)


def whole(number: int) -> str:
    return "".join(pieces(number))
