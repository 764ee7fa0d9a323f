from __future__ import annotations

import pytest

from performance.queries.analysis.predicates import Ask, of_condition

CASES = [
    ("(t.status = 'a'::text)", [("status", Ask.EQUAL)]),
    ("((t.a = 1) AND (t.b > 2))", [("a", Ask.EQUAL), ("b", Ask.RANGE)]),
    ("(t.a = ANY ('{1,2}'::integer[]))", [("a", Ask.EQUAL)]),
    ("((t.name)::text = 'x'::text)", [("name", Ask.EQUAL)]),
    ("(lower((t.name)::text) = 'x'::text)", [("lower(name::text)", Ask.EQUAL)]),
    ("((t.data ->> 'k'::text) = 'v'::text)", [("(data ->> 'k'::text)", Ask.EQUAL)]),
    ("(t.name ~~ 'ab%'::text)", [("name", Ask.PREFIX)]),
    ("(t.name ~~* '%ab%'::text)", [("name", Ask.WITHIN)]),
    ("(t.data @> '{}'::jsonb)", [("data", Ask.MEMBER)]),
    ("(t.gone IS NULL)", [("gone", Ask.NULL)]),
    ("t.done", [("done", Ask.EQUAL)]),
    ("(NOT t.done)", [("done", Ask.EQUAL)]),
    ("((t.a = 1) OR (t.b = 2))", [("a", Ask.EQUAL), ("b", Ask.EQUAL)]),
    ("(ROW(t.a, t.b) < ROW(1, 2))", [("a", Ask.RANGE)]),
    ('("T"."Odd name" = 1)', [("Odd name", Ask.EQUAL)]),
    ("(t.a = $1)", [("a", Ask.EQUAL)]),
    ("(t.a = (InitPlan 1).col1)", [("a", Ask.EQUAL)]),
    ("((t.a = 1) AND (hashed SubPlan 1))", [("a", Ask.EQUAL)]),
    ("(t.a = t.b)", []),
    ("(random() < 0.5)", []),
    ("nonsense ((", []),
]


@pytest.mark.parametrize(("text", "expected"), CASES, ids=[text for text, _ in CASES])
def test_conditions_of_plans(text: str, expected: list[tuple[str, Ask]]) -> None:
    assert [(p.target, p.ask) for p in of_condition(text)] == expected


def test_a_join_is_seen_from_both_sides() -> None:
    found = of_condition("(a.id = b.a_id)")

    assert [(p.alias, p.target, p.joins) for p in found] == [("a", "id", "b"), ("b", "a_id", "a")]


def test_arms_of_an_or_belong_together() -> None:
    found = of_condition("((t.x = 1) AND ((t.a = 1) OR (t.b = 2)))")

    assert [p.arm for p in found] == [None, (0, 0), (0, 1)]


def test_a_parameter_is_known_only_where_it_stands_alone() -> None:
    alone, within = of_condition("((t.a = $3) AND (t.b > (now() - $2)))")

    assert (alone.parameter, within.parameter) == (3, 0)
