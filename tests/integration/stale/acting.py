"""The register of acts: what people, the assistant, staff and the machine do to what pages show."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.integration.stale.people import Person
    from tests.integration.stale.world import World

    Act = Callable[[World, Person, int], Any]

ACTS: dict[str, Act] = {}


def act(function: Act) -> Act:
    """One of them. Its number says which of several it is done to; with none it does nothing."""
    ACTS[function.__name__] = function
    return function
