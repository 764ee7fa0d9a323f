"""docs/benchmarks.md, from the claims and what the benchmarks said last."""

from __future__ import annotations

from collections.abc import Iterable

from tests.benchmarks import results
from tests.benchmarks.claimed import BENCHMARKS, BUDGETS, CLAIMS, Claim

HEAD = """# What was measured

Made by `make bench` from the claims in `tests/benchmarks/claimed/` and the JSON that each benchmark printed last
(`tests/benchmarks/results/`). `python -m tests.benchmarks claims NAME` measures one again; what the others
said stays, with its date. The two cores of these runs also carry PostgreSQL, both Valkeys and the clients; a time on
such a machine wobbles, so what is compared was run in turn.
"""
COLUMNS = """
| claim | target | measured here | met | command |
|---|---|---|---|---|
"""
BESIDES = """
## What the design asks besides

Narrower than the claims, and mostly against others that do the same work in the same run.
"""
PAGES = """
## Each kind of page

CPU of the web server for one request over HTTP, what one core can therefore answer in a second, and the cores that
10,000 a second want.

| page | CPU | a second and core | cores for 10,000 a second |
|---|---|---|---|
"""
RUNS = """
## The benchmarks

| name | command | last run | minutes |
|---|---|---|---|
"""


def page() -> str:
    """The page: every claim, every kind of page, and how each figure is measured again."""
    parts = (HEAD, _table(CLAIMS), BESIDES, _table(BUDGETS), _pages(), RUNS)
    return "".join(parts) + "".join(map(_benchmark, BENCHMARKS))


def _table(claims: Iterable[Claim]) -> str:
    return COLUMNS + "".join(map(_row, claims))


def _row(claim: Claim) -> str:
    value = claim.value
    if value is None:
        shown, verdict = "", "not measured yet"
    else:
        shown = f"{value:,.4g}{claim.unit}"
        verdict = "yes" if claim.is_met else f"no: {claim.why_not}"
    return f"| {claim.text} | {claim.wanted} | {shown} | {verdict} | {_spelt(claim.benchmark)} |\n"


def _pages() -> str:
    found = results.kept("pages")
    if found is None:
        return ""
    rows = [PAGES]
    for key, served in found.said["figures"].items():
        name, _, kind = key.partition("_served_us")
        if key.endswith("_served_us") and not kind and served:
            shown = name.replace("_", " ")
            rows.append(
                f"| {shown} | {served / 1000:.1f} ms | {1e6 / served:,.0f} | {served / 100:,.1f} |\n"
            )
    return "".join(rows)


def _benchmark(name: str) -> str:
    last = results.kept(name)
    when = f"{last.date}, {last.machine}" if last else "never"
    minutes = (
        f"{last.minutes:g}" if last and last.minutes else f"about {BENCHMARKS[name].minutes:g}"
    )
    return f"| `{name}` | {_spelt(name)} | {when} | {minutes} |\n"


def _spelt(name: str) -> str:
    return f"`python {' '.join(BENCHMARKS[name].command)}`"
