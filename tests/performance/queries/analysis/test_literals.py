from __future__ import annotations

import pytest

from performance.queries.analysis.literals import without_literals

CASES = [
    ("(t.a = 'secret'::text)", "(t.a = ?)"),
    ("(t.a = 'it''s'::character varying)", "(t.a = ?)"),
    ("(t.a = ANY ('{1,2}'::integer[]))", "(t.a = ANY (?))"),
    ("(t.a1 > 42)", "(t.a1 > ?)"),
    ("(t.a = -1.5e3)", "(t.a = -?)"),
    ('("T5"."x 9" = $1)', '("T5"."x 9" = $1)'),
    ("a = E'x\\'y' AND b = $$z$$", "a = ? AND b = ?"),
    ("x = 'a' AND y = 'b'", "x = ? AND y = ?"),
    # A backslash before the closing quote is an ordinary character but in E''.
    (r"((path = 'C:\'::text) AND (name = 'canary'::text))", "((path = ?) AND (name = ?))"),
    (r"(name ~~ '%\\_''canary'::text)", "(name ~~ ?)"),
    ("a = 'cut in the canary", "a = ?"),
    ("a = U&'d\\0061t' AND b = N'x'", "a = ? AND b = ?"),
    ("a > .5 AND b = 1_000 AND c = 0xFF AND d = 1e-5", "a > ? AND b = ? AND c = ? AND d = ?"),
]


@pytest.mark.parametrize(("text", "expected"), CASES)
def test_values_are_gone_and_names_are_not(text: str, expected: str) -> None:
    assert without_literals(text) == expected
