"""Keeps alike samples from becoming a row every few seconds: the first goes at once, more are held."""

from __future__ import annotations

from performance.queries.batches import Sample
from performance.queries.merging import SampleKey, key_of, merge_sample

RARE = frozenset({"sampled", "in_template", "after_response"})
HOLD_RARE, HOLD = 1800.0, 300.0
"""Seconds between two rows of alike samples; what came in between is the second one's `times`."""
MOST = 3000


class Held:
    """Used by the flusher's thread alone. `now` is of any clock that goes forward."""

    def __init__(self) -> None:
        self._samples: dict[SampleKey, Sample] = {}
        self._sent_at: dict[SampleKey, float] = {}

    def __bool__(self) -> bool:
        return bool(self._samples)

    def add(self, samples: list[Sample]) -> None:
        for sample in samples:
            if len(self._samples) < MOST or key_of(sample) in self._samples:
                merge_sample(self._samples, sample)

    def take(self, now: float, *, everything: bool = False) -> list[Sample]:
        """Those whose time has come, or all of them."""
        due = [key for key in self._samples if everything or self._is_due(key, now)]
        self._sent_at = {key: at for key, at in self._sent_at.items() if now - at < HOLD_RARE}
        self._sent_at |= dict.fromkeys(due, now)
        return [self._samples.pop(key) for key in due]

    def _is_due(self, key: SampleKey, now: float) -> bool:
        hold = HOLD_RARE if key[1] in RARE else HOLD
        return now - self._sent_at.get(key, float("-inf")) >= hold
