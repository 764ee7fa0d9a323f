"""python -m tests.benchmarks NAME [arguments]: one benchmark, whose last line is its JSON."""

from __future__ import annotations

import sys
from importlib import import_module


def run(arguments: list[str]) -> None:
    if not arguments:
        raise SystemExit(f"{__doc__}")
    import_module(f"tests.benchmarks.{arguments[0]}").main(arguments[1:])


run(sys.argv[1:])
