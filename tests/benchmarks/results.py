"""What the benchmarks said last: one file each under results/, kept until that one is run again."""

from __future__ import annotations

import json
import os
import platform
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

PLACE = Path(__file__).with_name("results")


@dataclass(frozen=True)
class Result:
    """`said` is the JSON that a benchmark printed last; `date`, `minutes` and `machine` tell of that run."""

    date: str
    minutes: float
    machine: str
    command: str
    said: dict[str, Any]

    def at(self, where: tuple[str, ...]) -> float | None:
        """The figure at that place; None where that run did not measure it yet."""
        value: Any = self.said
        for part in where:
            if not isinstance(value, dict) or part not in value:
                return None
            value = value[part]
        return float(value)


def machine() -> str:
    """What it runs on, and how much else ran in the minute before: the load of a quiet machine is near 0."""
    kind = f"{os.cpu_count()} cores ({platform.machine()})"
    return f"{kind}, Python {platform.python_version()}, load {os.getloadavg()[0]:.1f} before"


def keep(name: str, result: Result) -> None:
    PLACE.mkdir(exist_ok=True)
    _file(name).write_text(json.dumps(asdict(result), indent=1) + "\n")


def kept(name: str) -> Result | None:
    """None where that benchmark has never been run."""
    file = _file(name)
    return Result(**json.loads(file.read_text())) if file.exists() else None


def _file(name: str) -> Path:
    return PLACE / f"{name}.json"
