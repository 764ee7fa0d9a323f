from __future__ import annotations

import pytest

from conversations.tools.text_statistics import text_statistics


@pytest.mark.parametrize(
    ("text", "words", "sentences", "letters"),
    [
        ("", 0, 0, 0),
        ("to be or not to be", 6, 1, 13),
        ("Hi. How are you? Fine!", 5, 3, 15),
        ("Dr. Who's well-known 3.5 kg", 5, 2, 17),
        ("Grüße aus Köln", 3, 1, 12),
        ("...", 0, 1, 0),
    ],
)
def test_counts(text: str, words: int, sentences: int, letters: int) -> None:
    found = text_statistics(text)
    assert (found["words"], found["sentences"], found["letters"]) == (words, sentences, letters)
    assert found["characters"] == len(text)


def test_lines_and_paragraphs() -> None:
    found = text_statistics("one\ntwo\n\n\nthree")
    assert (found["lines"], found["paragraphs"]) == (5, 2)
