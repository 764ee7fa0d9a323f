"""Names of structures: equal for equal ones, and for no others."""

from __future__ import annotations

import math
from itertools import combinations
from typing import Any

import pytest

from performance.cache import digest

ALIKE: list[Any] = [
    None,
    math.nan,
    math.inf,
    -math.inf,
    0,
    False,
    "",
    "0",
    0.5,
    "0.5",
    [],
    {},
    [0],
    2**70,
    str(2**70),
    -(2**70),
]


@pytest.mark.parametrize(("one", "other"), list(combinations(ALIKE, 2)))
def test_what_looks_alike_stays_apart(one: Any, other: Any) -> None:
    assert digest({"x": one}) != digest({"x": other})


def test_the_order_of_keys_says_nothing() -> None:
    assert digest({"a": 1, "b": {"c": 2, "d": 3}}) == digest({"b": {"d": 3, "c": 2}, "a": 1})


def test_equal_parts_have_one_name_whatever_they_are() -> None:
    assert digest(None, {"b", "a"}, (1, "x")) == digest(None, {"a", "b"}, [1, "x"])


def test_parts_are_not_joined() -> None:
    assert digest("a", "b") != digest("ab") != digest(["a", "b"])


def test_what_is_no_plain_value_is_refused() -> None:
    with pytest.raises(TypeError):
        digest(object())
