"""What PostgreSQL's planner would ask for reading an index, by its own published formulas."""

from __future__ import annotations

import math
from dataclasses import dataclass

from performance.queries.analysis.database import Database

PAGE = 8192
ENTRY = 16  # bytes of an index entry beside its key
FILL = 0.9


@dataclass(frozen=True, slots=True, kw_only=True)
class Prices:
    """The planner's cost settings."""

    seq_page: float = 1.0
    random_page: float = 4.0
    tuple: float = 0.01
    index_tuple: float = 0.005
    operator: float = 0.0025

    @classmethod
    def of(cls, database: Database) -> Prices:
        names = {
            "seq_page": "seq_page_cost",
            "random_page": "random_page_cost",
            "tuple": "cpu_tuple_cost",
            "index_tuple": "cpu_index_tuple_cost",
            "operator": "cpu_operator_cost",
        }
        shown = {
            ours: float(database.value("SELECT current_setting(%s)", (theirs,)))
            for ours, theirs in names.items()
        }
        return cls(**shown)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One reading of an index: of how large a table, how many entries, and what of the heap."""

    table_rows: float
    table_pages: float
    entries: float  # index entries that are read
    fetched: float  # rows that are fetched for them
    width: float  # bytes of a key
    correlation: float = 0.0
    heap_share: float = 1.0  # of the pages that must be looked at: 0 for an index-only scan
    conditions: int = 1
    ordered: bool = False  # the order matters, so no bitmap


def cost(reading: Reading, prices: Prices) -> float:
    """The cheaper of an index scan and a bitmap scan, in the planner's units."""
    per_page = PAGE * FILL / (reading.width + ENTRY)
    leaves = max(1.0, math.ceil(reading.entries / per_page))
    descent = math.ceil(math.log2(max(reading.table_rows, 2))) * prices.operator
    height = max(0, math.ceil(math.log(max(reading.table_rows / per_page, 1), per_page)))
    entry = reading.entries * (prices.index_tuple + reading.conditions * prices.operator)
    start = descent + (height + 1) * 50 * prices.operator + prices.random_page * leaves + entry
    rows = reading.fetched * (prices.tuple + reading.conditions * prices.operator)
    scans = [_scattered(reading, prices)]
    if not reading.ordered and reading.heap_share == 1.0:
        scans.append(_bitmap(reading, prices))
    return start + rows + min(scans)


def pages_of(rows: float, pages: float) -> float:
    """Distinct pages touched by `rows` fetches at random (Mackert and Lohman)."""
    if pages <= 1:
        return 1.0
    return min(pages, 2 * pages * rows / (2 * pages + rows))


def _scattered(reading: Reading, prices: Prices) -> float:
    touched = pages_of(reading.fetched, reading.table_pages)
    worst = touched * prices.random_page
    share = reading.fetched / max(reading.table_rows, 1)
    best = prices.random_page + max(0, math.ceil(share * reading.table_pages) - 1) * prices.seq_page
    squared = reading.correlation**2
    return reading.heap_share * (worst + squared * (min(best, worst) - worst))


def _bitmap(reading: Reading, prices: Prices) -> float:
    pages = max(reading.table_pages, 1.0)
    touched = pages_of(reading.fetched, pages)
    gap = (prices.random_page - prices.seq_page) * math.sqrt(touched / pages)
    each = prices.random_page - gap if touched >= 2 else prices.random_page
    return touched * each + reading.entries * 0.1 * prices.operator
