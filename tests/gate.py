"""An answer that is held in its middle until the test lets it go on: no time to be late for."""

from __future__ import annotations

from pathlib import Path

SEEN = (
    15_000  # ms; a page that comes after the first words, and hears no more, looks again after 8 s
)


class Gate:
    """`held(...)` is a script for the scripted backend; `open()` lets all go on that this gate holds."""

    def __init__(self, directory: Path) -> None:
        self._file = directory / "gate"

    def held(self, first: int, number: int, words: str) -> str:
        """Says `words` `number` times, "#" being the number; after `first` times it waits."""
        before, after = f"repeat {first} 0.1 {words}", f"repeat {first}-{number} 0.02 {words}"
        return f"{before}\nuntil {self._file}\n{after}"

    def open(self) -> None:
        self._file.touch()
