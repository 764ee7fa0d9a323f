"""Cases of index problems, each with the best indexes known for it, or with none.

The problems are those of the usual catalogues: the indexing chapters of PostgreSQL's manual, "Use The
Index, Luke", the rules of PgHero, dexter and pganalyze as their documentation tells them, and what Django
projects meet. Schema, data and statements are our own.
"""

from __future__ import annotations

from tests.performance.queries.corpus import accounts, events, jobs, posts, shop
from tests.performance.queries.corpus.case import Case

DATASETS = {"shop": shop, "jobs": jobs, "posts": posts, "events": events, "accounts": accounts}
CASES: list[Case] = [case for dataset in DATASETS.values() for case in dataset.CASES]
