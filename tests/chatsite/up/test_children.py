from __future__ import annotations

import sys

import pytest

from chatsite.up.children import Child, Spec
from tests.processes import wait_for

SAYS = "import os; print(os.environ['MALLOC_ARENA_MAX'])"


@pytest.mark.parametrize(("given", "said"), [(None, "2"), ("7", "7")])
def test_heaps_are_few_unless_the_environment_says_otherwise(
    monkeypatch: pytest.MonkeyPatch, given: str | None, said: str
) -> None:
    monkeypatch.delenv("MALLOC_ARENA_MAX", raising=False)
    if given is not None:
        monkeypatch.setenv("MALLOC_ARENA_MAX", given)
    child = Child(Spec("child", (sys.executable, "-c", SAYS), grace=1))
    child.start()
    try:
        assert wait_for(lambda: child.read() == [said])
    finally:
        child.clear()
