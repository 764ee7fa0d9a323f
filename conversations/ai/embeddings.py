"""Sentence embeddings from the weights in the wordllama wheel: static, on the CPU, no network.

The wheel's files are read directly: importing its package would cost 0.7 s and 40 MB, and set up
the root logger.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors import safe_open
from tokenizers import Tokenizer

Vectors = npt.NDArray[np.float32]

DIMENSIONS = 256
LONGEST = 4000  # characters; beyond them a mean of words says little
_loading = threading.Lock()


def embed(texts: Sequence[str]) -> Vectors:
    """One row of length 1 for each text; a zero row where a text has no words."""
    with _loading:
        model = _model()
    return model.embed(texts)


class Model:
    def __init__(self, tokenizer: Tokenizer, weights: npt.NDArray[np.float16]) -> None:
        self._tokenizer = tokenizer
        self._weights = weights

    def embed(self, texts: Sequence[str]) -> Vectors:
        rows = np.zeros((len(texts), DIMENSIONS), np.float32)
        cut = [text[:LONGEST] for text in texts]
        for row, encoding in zip(
            rows, self._tokenizer.encode_batch(cut, add_special_tokens=False), strict=True
        ):
            if encoding.ids:
                row[:] = self._weights[encoding.ids].mean(axis=0, dtype=np.float32)
        lengths = np.linalg.norm(rows, axis=1, keepdims=True)
        return np.divide(rows, lengths, out=rows, where=lengths > 0)


@functools.cache
def _model() -> Model:
    spec: Any = find_spec("wordllama")
    folder = Path(spec.origin).parent
    tokenizer = Tokenizer.from_file(
        str(folder / "tokenizers" / "l2_supercat_tokenizer_config.json")
    )
    tokenizer.no_padding()
    tokenizer.no_truncation()
    with safe_open(folder / "weights" / f"l2_supercat_{DIMENSIONS}.safetensors", "np") as weights:
        return Model(tokenizer, weights.get_tensor("embedding.weight"))
