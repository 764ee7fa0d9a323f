"""`python -m tests.verification.index_advice`: our index suggestions beside those of known advisors.

Every suggested index is really built, and every statement planned with its own values: what counts is the
true plan's cost. On Debian's PostgreSQL 15 with HypoPG; `--embedded` measures what is said without HypoPG,
on PostgreSQL 18.

- recall: cases with a known best set whose cost is within a quarter of it.
- precision: suggested indexes without which the case would cost at least 5 % more.
- cost: sum over the statements of those cases; beside it, of those that a B-tree on columns solves.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

import django

from chatsite.embedded import running
from tests import postgresql

if TYPE_CHECKING:
    from tests.verification.advice_cases import Tally


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--embedded", action="store_true", help="PostgreSQL 18, without HypoPG")
    options.add_argument(
        "--verbose", action="store_true", help="name what was missed and what was needless"
    )
    chosen = options.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    django.setup()
    from tests.verification.advice_cases import measure

    if chosen.embedded:
        from django.conf import settings

        names = tuple(filter(None, os.environ["TEST_EMBEDDED"].split(",")))
        with running(settings.DATA_DIR, names, volatile=True):
            show(measure(postgresql.embedded(), hypopg=False), verbose=chosen.verbose)
    else:
        why = postgresql.missing()
        if why:
            raise SystemExit(f"{why}: apt-get install postgresql-15 postgresql-15-hypopg")
        with postgresql.debian() as server:
            show(measure(server, hypopg=True), verbose=chosen.verbose)


def show(tallies: dict[str, Tally], *, verbose: bool) -> None:
    print("\n".join(_lines(tallies, verbose=verbose)))  # noqa: T201


def _lines(tallies: dict[str, Tally], *, verbose: bool) -> Iterator[str]:
    from tests.performance.queries.corpus import CASES

    yield f"{len(CASES)} cases, {sum(not case.best for case in CASES)} of them without a good index"
    yield (
        f"{'method':<28} {'recall':>7} {'precision':>10} {'indexes':>8} {'true cost':>11} "
        f"{'plain alone':>11} {'promise kept':>13}"
    )
    for name, tally in tallies.items():
        precision = f"{tally.useful / tally.suggested:.1%}" if tally.suggested else "-"
        kept = f"{sum(tally.predicted) / len(tally.predicted):.1%}" if tally.predicted else "-"
        yield (
            f"{name:<28} {tally.solved / tally.wanted:>7.1%} {precision:>10} {tally.suggested:>8} "
            f"{tally.cost:>11,.0f} {tally.plain:>11,.0f} {kept:>13}"
        )
        if verbose:
            yield from (f"    missed   {line}" for line in tally.missed)
            yield from (f"    needless {line}" for line in tally.needless)
    yield json.dumps(
        {"name": "index_advice", "figures": _figures(tallies), "ratios": _ratios(tallies)}
    )


def _figures(tallies: dict[str, Tally]) -> dict[str, dict[str, float]]:
    return {
        name: {
            "recall": round(tally.solved / tally.wanted, 4),
            "precision": round(tally.useful / max(tally.suggested, 1), 4),
            "cost": round(tally.cost),
        }
        for name, tally in tallies.items()
    }


def _ratios(tallies: dict[str, Tally]) -> dict[str, float]:
    base = tallies.get("index_advisor")
    if base is None:
        return {}
    return {
        "cost of ours to index_advisor's": round(tallies["verified"].cost / base.cost, 3),
        "the same, plain indexes alone": round(tallies["verified"].plain / base.plain, 3),
    }


if __name__ == "__main__":
    main()
