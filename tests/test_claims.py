"""The page of what was measured is that of the claims and of the results that are kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.benchmarks import claims, claims_page, results
from tests.benchmarks.claimed import BENCHMARKS, BUDGETS, CLAIMS, Claim


def test_the_page_is_that_of_the_kept_results() -> None:
    why = "run `python -m tests.benchmarks claims table`"
    assert claims.PAGE.read_text() == claims_page.page(), why


def test_every_claim_rests_on_a_benchmark_and_every_benchmark_bears_one() -> None:
    assert {claim.benchmark for claim in CLAIMS + BUDGETS} == set(BENCHMARKS)
    kept = {file.stem for file in results.PLACE.glob("*.json")}
    assert kept <= set(BENCHMARKS)


def test_all_of_them_fit_into_forty_minutes() -> None:
    usual = [one.minutes for one in BENCHMARKS.values() if not one.by_name_alone]
    assert sum(usual) <= 40


def test_what_is_run_again_leaves_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(results, "PLACE", tmp_path)
    for name, value in (("users", 3), ("streams", 4), ("users", 5)):
        said = {"figures": {"errors": value}}
        results.keep(name, results.Result("2026-01-02", 1.5, "a machine", "python", said))
    assert Claim("", "users", "figures/errors", 0).value == 5
    assert Claim("", "streams", "figures/errors", 0, factor=2).value == 8
    assert Claim("", "streams", "figures/other", 0).value is None
    assert Claim("", "load", "figures/errors", 0).value is None


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(SystemExit, match="No claim rests on chats"):
        claims.main(["chats"])
