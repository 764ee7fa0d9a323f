"""Trains performance/cache/chat.zdict, the dictionary that small cache entries are compressed with.

python -m tests.benchmarks dictionary [PATH]

Seeded. The texts are not those of payloads.py, on which the result is measured. A new dictionary
makes old small entries unreadable, which is to say misses.
"""

from __future__ import annotations

import json
import pickle
import random
import sys
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import zstandard

SIZE, SAMPLES = 16_384, 12_000
NUMBER = 2026_11  # of this dictionary, in every entry made with it
WORDS = [
    "the",
    "of",
    "and",
    "to",
    "a",
    "in",
    "is",
    "you",
    "that",
    "it",
    "for",
    "on",
    "are",
    "with",
    "as",
    "I",
    "his",
    "they",
    "be",
    "at",
    "one",
    "have",
    "this",
    "from",
    "or",
    "had",
    "by",
    "but",
    "some",
    "what",
    "there",
    "we",
    "can",
    "out",
    "other",
    "were",
    "all",
    "your",
    "when",
    "up",
    "use",
    "word",
    "how",
    "said",
    "an",
    "each",
    "she",
    "which",
    "do",
    "their",
    "time",
    "if",
    "will",
    "way",
    "about",
    "many",
    "then",
    "them",
    "would",
    "write",
    "like",
    "so",
    "these",
    "her",
    "long",
    "make",
    "thing",
    "see",
    "him",
    "two",
    "has",
    "look",
    "more",
    "day",
    "could",
    "go",
    "come",
    "did",
    "my",
    "sound",
    "no",
    "most",
    "number",
    "who",
    "over",
    "know",
    "water",
    "than",
    "call",
    "first",
    "people",
    "may",
    "down",
    "side",
    "been",
    "now",
    "find",
    "any",
    "new",
    "work",
    "part",
    "take",
    "get",
    "place",
    "made",
    "live",
    "where",
    "after",
    "back",
    "little",
    "only",
    "round",
    "man",
    "year",
    "came",
    "show",
    "every",
    "good",
    "me",
    "give",
    "our",
    "under",
    "name",
    "very",
    "through",
    "just",
    "form",
    "much",
    "great",
    "think",
    "say",
    "help",
    "low",
    "line",
    "before",
    "turn",
    "cause",
    "same",
    "mean",
    "differ",
    "move",
    "right",
    "boy",
    "old",
    "too",
    "does",
    "tell",
    "sentence",
    "set",
    "three",
    "want",
    "air",
    "well",
    "also",
    "play",
    "small",
    "end",
    "put",
    "home",
    "read",
    "hand",
    "port",
    "large",
    "spell",
    "add",
    "even",
    "land",
    "here",
    "must",
    "big",
    "high",
    "such",
    "follow",
    "act",
    "why",
    "ask",
    "men",
    "change",
    "went",
    "light",
    "kind",
    "off",
    "need",
    "house",
    "picture",
    "try",
    "us",
    "again",
    "animal",
    "point",
    "mother",
    "world",
    "near",
    "build",
    "self",
    "earth",
    "father",
]
CHAT = """
I am not sure what you mean. Could you give me an example?
Here is what I found in the documentation: the default value is 30 seconds.
You can do this with one command. First, open the settings and look for the option.
Sorry, I do not know that. The answer depends on the version that you use.
Thank you very much! That works. One more question: how do I undo this?
The error message says that the connection was refused. Check that the server is running.
Yes, that is correct. No, this is not possible because the file is too large.
For example, if the total is 1,250 and the tax is 20 percent, the result is 1,500.
Step 1: install the package. Step 2: create a project. Step 3: run the server.
There are several ways to do this: the simplest is to write a small function.
Please help me to write an email to my customer about the delay of the order.
Dear Sir or Madam, I would like to apologise for the delay. Kind regards,
In summary, there are two main reasons for this: cost and time.
What is the difference between the two? How does it work? Why does it fail? Can I change it?
The function takes a list and returns a dictionary. It raises an error if the list is empty.
I cannot open this link. However, you can copy the text here and I will read it.
Let me know if you have any other questions. I hope this helps.
Make sure that you have the latest version, then restart the program and try again.
It is better to use a database for this, because a file may be written by two processes at once.
Which of these would you recommend for a beginner with a small budget?
On Monday we have a meeting at 10:00 with the whole team. Please translate this into French.
Write a short summary of the following text in three sentences.
This conversation was started by mistake. Delete it, please.
To answer your question: it was released in 2019, and the next version is planned for the end of the year.
The following table shows the results of the test for each of the three groups.
As an assistant I can search your conversations, calculate, and answer questions about this site.

""".strip().splitlines()
CODE = [
    "```python\ndef main():\n    return None\n```",
    "<ul>\n<li>",
    "</li>\n</ul>\n",
    "<strong>",
    "<code>",
    "</code></p>\n<p>",
    "<h2>",
    '<pre><code class="language-python">',
    "</code></pre>",
    "https://www.example.com/",
    "<ol>\n<li>",
    "</p>\n<ul>",
    "</strong>: ",
    '<a href="https://',
    '" rel="noopener nofollow">',
]


def main(arguments: list[str]) -> None:
    from django.conf import settings

    settings.configure()
    from performance.cache import envelope, values
    from tests.benchmarks import payloads

    rng = random.Random(7)
    samples = [values.pack(rng.choice(KINDS)(rng)) for _ in range(SAMPLES)]
    trained = zstandard.train_dictionary(SIZE, samples, level=3, dict_id=NUMBER).as_bytes()
    if arguments:
        Path(arguments[0]).write_bytes(trained)
    figures = {}
    for name in ("small", "one_message", "conversation"):
        made = [getattr(payloads, name)(seed) for seed in range(20)]
        pickled = sum(len(pickle.dumps(value, pickle.HIGHEST_PROTOCOL)) for value in made)
        figures[name] = {
            "pickle": pickled,
            "ours": sum(envelope.seal(value).size for value in made),
        }
    ratios = {name: round(found["ours"] / found["pickle"], 3) for name, found in figures.items()}
    sys.stdout.write(
        json.dumps({"name": "dictionary", "figures": figures, "ratios": ratios}) + "\n"
    )


def _sentence(rng: random.Random) -> str:
    kind = rng.random()
    if kind < 0.55:
        return rng.choice(CHAT)
    if kind < 0.9:
        words = " ".join(rng.choices(WORDS, k=rng.randint(5, 14)))
        return words.capitalize() + rng.choice([".", "?", "!", ", "])
    return rng.choice(CODE)


def _text(rng: random.Random, sentences: int) -> str:
    return " ".join(_sentence(rng) for _ in range(sentences))


def _when(rng: random.Random) -> datetime:
    elapsed = timedelta(seconds=rng.randrange(3 * 10**7), microseconds=rng.randrange(10**6))
    return datetime(2026, 1, 1, tzinfo=UTC) + elapsed


def _id(rng: random.Random) -> str:
    return str(uuid.UUID(int=rng.getrandbits(128), version=4))


def _message(rng: random.Random) -> dict[str, Any]:
    text = _text(rng, rng.randint(1, 4))
    run = {
        "name": "calculate",
        "arguments": {"expression": "1+1"},
        "result": "2",
        "status": "complete",
    }
    return {
        "id": rng.randrange(10 ** rng.randint(3, 8)),
        "role": rng.choice(["user", "assistant", "tool"]),
        "text": text,
        "html": f"<p>{text}</p>\n",
        "created_at": _when(rng),
        "status": rng.choice(["complete", "stopped", "failed", "pending", "running"]),
        "tool_runs": [] if rng.random() < 0.8 else [{**run, "duration": 0.01}],
        "renderer": 1,
        "idempotency_key": None,
    }


def _conversation(rng: random.Random) -> dict[str, Any]:
    return {
        "id": _id(rng),
        "user_id": rng.randrange(10**5),
        "title": _sentence(rng)[:60],
        "created_at": _when(rng),
        "last_message_at": _when(rng),
        "unread": False,
        "url": f"/c/{_id(rng)}/",
    }


def _session(rng: random.Random) -> dict[str, Any]:
    backends = [
        "django.contrib.auth.backends.ModelBackend",
        "allauth.account.auth_backends.AuthenticationBackend",
    ]
    method = {"method": "password", "at": _when(rng).timestamp(), "username": "alice"}
    return {
        "_auth_user_id": str(rng.randrange(10**5)),
        "_auth_user_backend": rng.choice(backends),
        "_auth_user_hash": f"{rng.getrandbits(256):064x}",
        "account_authentication_methods": [method],
        "_session_expiry": 1209600,
        "_password_reset_token": "",
        "django_language": "en",
    }


def _answer(rng: random.Random) -> Any:
    from performance.cache.frozen import freeze
    from performance.cache.stored import Stored

    value = {"text": _text(rng, rng.randint(1, 6)), "model": "guide", "backend": "default"}
    return Stored(
        freeze({**value, "input_tokens": rng.randrange(3000), "finish_reason": "stop"}), _when(rng)
    )


def _result(rng: random.Random) -> Any:
    from performance.cache.stored import Stored

    value = {
        "value": rng.random() * 100,
        "unit": "celsius",
        "place": "Paris",
        "ok": True,
        "error": None,
    }
    return Stored({"result": _text(rng, 1), **value}, _when(rng))


def _page(rng: random.Random) -> Any:
    from performance.cache.frozen import freeze

    return freeze([_message(rng) for _ in range(rng.randint(1, 8))])


def _list(rng: random.Random) -> Any:
    return [_conversation(rng) for _ in range(rng.randint(2, 6))]


KINDS = (
    _message, _message, _conversation, _conversation, _session, _answer, _result, _page, _list,
    lambda rng: _text(rng, rng.randint(1, 5)),
)  # fmt: skip
