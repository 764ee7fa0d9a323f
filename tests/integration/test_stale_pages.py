"""Whatever happens, a page that is kept is the page that would be made now, and its reader's own.

People ask, edit, file and choose; the assistant writes; staff and operators change the site. After
each act what browsers keep (304), what the caches keep, and what is rendered without any cache are
compared, byte for byte but for tokens and keys. STALE_EXAMPLES=50 looks for longer, at every page.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from hypothesis import HealthCheck, Phase
from hypothesis import settings as examples
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    rule,
    run_state_machine_as_test,
)

from tests.integration.stale import answering, asking, choosing, running  # noqa: F401  # the acts
from tests.integration.stale.acting import ACTS
from tests.integration.stale.breaking import BROKEN
from tests.integration.stale.world import Stale, World, between_steps

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("queue_redis"),
]
EXAMPLES = int(os.environ.get("STALE_EXAMPLES", "0"))


@pytest.fixture
def make_world(tmp_path: Path, cache_redis: redis.Redis, settings: Any) -> Iterator[Any]:
    settings.CACHES = {**settings.CACHES}  # so that the engines of this test end with it
    worlds: list[World] = []

    def make(**options: Any) -> World:
        worlds.append(World(tmp_path, cache_redis, **options))
        return worlds[-1]

    with between_steps(lambda: worlds[-1]):
        yield make
    for world in worlds:
        world.close()


STORY = """
begin claim write_on wait_for_the_provider end rate say_why edit answer show_another_version rename pin tag
begin_with_a_tool answer ask_anew claim fail go_on claim hand_back claim stop ask_another_model answer share
switch_a_tool tell_the_assistant_something_else begin_with_a_tool_that_asks answer decide answer ask_the_same answer
send_a_file begin_to_read_a_file end_reading_a_file answer choose_a_language choose_a_time_zone choose_colours
ask_the_same answer begin_in_secret answer sweep send answer archive set_up choose_a_model offer_other_models
become_staff_or_not be_called_otherwise be_shut_out change_the_password sign_out_and_in edit_a_template deploy
deploy_static_files keep_temporary_ones_longer let_a_day_pass switch_caches_off rename answer switch_caches_on
choose_to_use_no_cache pin choose_to_keep_nothing choose_to_use_caches bring_back reach_a_quota
have_staff_delete_something lose_all_that_is_cached revoke delete
"""


def test_after_each_act(make_world: Any) -> None:
    """Every other one by another process, every third one watched."""
    acts = STORY.split()
    assert set(acts) == set(ACTS)
    world = make_world(pages=2)
    world.do("begin", "bob")
    seen: set[str] = set()
    for number, act in enumerate(acts):
        do = (
            world.act if act in seen else world.do
        )  # what only leads to the next was looked at before
        do(act, "alice", there=number % 2 == 1, watched=number % 3 == 0)
        seen.add(act)


@pytest.mark.parametrize("most", [None if EXAMPLES else 1])
def test_a_broken_rule_is_seen(
    make_world: Any, subtests: pytest.Subtests, most: int | None
) -> None:
    """Of each rule by which pages stay right, so that this test would tell of it."""
    world = make_world()
    for broken, chains in BROKEN.items():
        for chain in chains[:most]:
            with subtests.test(broken=broken.__name__, chain=chain):
                *before, last = chain.split()
                for one in before:
                    world.act(**how(one))
                with pytest.MonkeyPatch.context() as patch:
                    broken(patch)
                    with pytest.raises(Stale):
                        world.do_from_scratch(**how(last))
                world.begin_anew()


def how(told: str) -> dict[str, Any]:
    """As breaking.BROKEN puts it."""
    act, *rest = told.split(".")
    told_how: dict[str, Any] = {"act": act, "who": "bob" if "bob" in rest else "alice"}
    picks = [int(one) for one in rest if one.isdigit()]
    return told_how | {"pick": sum(picks), "watched": "watched" in rest}


def test_what_was_written_while_the_cache_was_away(
    make_world: Any, valkey_server: Any, settings: Any
) -> None:
    """Frozen, so that it still has all that was kept when it comes back."""
    server = valkey_server()
    settings.CACHES = {
        alias: {**given, "LOCATION": server.url} for alias, given in settings.CACHES.items()
    }
    world = make_world()
    for act in ("begin", "answer", "choose_colours"):
        world.do(act, "alice")
    server.freeze()
    for act, there in [("rename", False), ("choose_a_language", True), ("send", True)]:
        world.do(act, "alice", there=there)
    server.thaw()
    world.other.wait_until_there()
    world.look_at_all()


def test_after_random_acts(make_world: Any) -> None:
    class Acts(RuleBasedStateMachine):
        @initialize()
        def begin(self) -> None:
            self.world = make_world(pages=99 if EXAMPLES else 3)

        @rule(
            act=st.sampled_from(sorted(ACTS)),
            who=st.sampled_from(["alice", "bob"]),
            pick=st.integers(0, 5),
            there=st.booleans(),
            watched=st.booleans(),
        )
        def do(self, act: str, who: str, pick: int, there: bool, watched: bool) -> None:
            self.world.do(act, who, pick, there=there, watched=watched)

        def teardown(self) -> None:
            self.world.close()

    run_state_machine_as_test(
        Acts,
        settings=examples(
            max_examples=EXAMPLES or 3,
            stateful_step_count=40 if EXAMPLES else 15,
            derandomize=not EXAMPLES,
            database=None,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.generate],  # an act takes a tenth of a second: shrinking would take long
        ),
    )
