from __future__ import annotations

import subprocess
import sys

import numpy as np

from conversations.ai.embeddings import DIMENSIONS, embed

TEXTS = ["How do I delete a conversation?", "höflich 🦉", "", "x " * 9000]


def test_rows_have_length_one_or_nought() -> None:
    rows = embed(TEXTS)
    assert rows.shape == (4, DIMENSIONS)
    assert np.allclose(np.linalg.norm(rows, axis=1), [1, 1, 0, 1], atol=1e-5)


def test_meaning_counts() -> None:
    near, far, asked = embed(["remove a chat", "the weather in Berlin", "delete a conversation"])
    assert near @ asked > far @ asked + 0.2


def test_the_same_as_the_package_that_ships_the_weights() -> None:
    """In a process of its own: importing it sets up the root logger."""
    code = (
        "import pathlib, sys, wordllama\n"
        "model = wordllama.WordLlama.load(cache_dir=pathlib.Path(wordllama.__file__).parent,"
        " disable_download=True, dim=256)\n"
        "sys.stdout.buffer.write(model.embed([sys.argv[1]], norm=True).tobytes())"
    )
    command = [sys.executable, "-c", code, TEXTS[0]]
    theirs = subprocess.run(command, capture_output=True, check=True).stdout
    assert np.allclose(np.frombuffer(theirs, np.float32), embed(TEXTS[:1])[0], atol=1e-6)
