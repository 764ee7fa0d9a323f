"""A claim, and the figure of a benchmark that it rests on."""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass

from tests.benchmarks import results


@dataclass(frozen=True)
class Claim:
    """`where` leads to the figure in the benchmark's JSON, its parts parted by slashes.

    `better` compares the figure, times `factor`, to the target. `why_not` stands in the page where the
    target is not met.
    """

    text: str
    benchmark: str
    where: str
    target: float
    unit: str = ""
    factor: float = 1.0
    why_not: str = "this run does not bear it out"
    better: Callable[[float, float], bool] = operator.ge

    @property
    def wanted(self) -> str:
        sign = "at least" if self.better is operator.ge else "at most"
        return f"{sign} {self.target:,g}{self.unit}"

    @property
    def value(self) -> float | None:
        """None where it has not been measured."""
        result = results.kept(self.benchmark)
        found = result.at(tuple(self.where.split("/"))) if result else None
        return None if found is None else found * self.factor

    @property
    def is_met(self) -> bool:
        return self.value is not None and self.better(self.value, self.target)


def at_least(
    text: str, figure: str, target: float, unit: str = "", *, factor: float = 1.0, why_not: str = ""
) -> Claim:
    """`figure` is the benchmark's name and the place in its JSON: "users/figures/errors"."""
    benchmark, _, where = figure.partition("/")
    return Claim(
        text, benchmark, where, target, unit, factor, why_not or Claim.why_not, operator.ge
    )


def at_most(
    text: str, figure: str, target: float, unit: str = "", *, factor: float = 1.0, why_not: str = ""
) -> Claim:
    """Like `at_least`, for what should be small."""
    benchmark, _, where = figure.partition("/")
    return Claim(
        text, benchmark, where, target, unit, factor, why_not or Claim.why_not, operator.le
    )
