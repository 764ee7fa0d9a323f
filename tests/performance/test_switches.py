from __future__ import annotations

import subprocess
import sys
import time
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import DatabaseError, connection, transaction

from performance import conf, switches
from performance.cache import conversation_cache
from performance.models import SwitchChange
from performance.switches import Switch


@pytest.fixture(autouse=True)
def _on_again() -> Any:
    yield
    conf.turn_off(frozenset())


def change(switch: Switch, *, on: bool) -> None:
    SwitchChange.objects.create(switch=switch, is_on=on, reason="a test", by_name="carol")


@pytest.mark.django_db
def test_the_newest_change_of_each_switch_holds() -> None:
    change(Switch.CONVERSATIONS, on=False)
    change(Switch.QUERIES, on=False)
    change(Switch.QUERIES, on=True)
    switches.refresh()
    assert not conf.current().cache.conversations
    assert conf.current().cache.ai_responses
    assert conf.current().queries.enabled
    change(Switch.CONVERSATIONS, on=True)
    switches.refresh()
    assert conf.current().cache.conversations


@pytest.mark.django_db
def test_a_switch_of_another_version_is_passed_over() -> None:
    SwitchChange.objects.create(switch="cache.gone", is_on=False, reason="r", by_name="carol")
    switches.refresh()
    assert conf.current() == conf.configured()


@pytest.mark.django_db
def test_what_the_environment_turns_off_stays_off(settings: Any) -> None:
    settings.PERFORMANCE = {"CACHE": {"AI_RESPONSES": False}}
    change(Switch.AI_RESPONSES, on=True)
    switches.refresh()
    assert not conf.current().cache.ai_responses
    assert not switches.is_configured(Switch.AI_RESPONSES)


@pytest.mark.django_db
def test_looking_costs_one_query(django_assert_num_queries: Any) -> None:
    for switch in Switch:
        change(switch, on=False)
    with django_assert_num_queries(1):
        switches.refresh()


@pytest.mark.django_db(transaction=True)
def test_what_changes_while_a_cache_is_off_is_forgotten_all_the_same(cache_redis: Any) -> None:
    conversation_cache.set(1, ("old",), 7)
    conf.turn_off(frozenset({"cache.conversations"}))
    assert conversation_cache.get(1, 7) is None
    conversation_cache.forget(1, 7)
    conf.turn_off(frozenset())
    assert conversation_cache.get(1, 7) is None


@pytest.mark.django_db
@pytest.mark.parametrize("verb", ["update(reason='another')", "delete()"])
def test_rows_are_only_added(verb: str) -> None:
    change(Switch.CACHE, on=False)
    with pytest.raises(DatabaseError, match="only added"), transaction.atomic():
        eval(f"SwitchChange.objects.all().{verb}")
    assert SwitchChange.objects.count() == 1


@pytest.mark.django_db
def test_the_name_stays_when_the_account_goes() -> None:
    user = User.objects.create_user("carol")
    SwitchChange.objects.create(
        switch=Switch.CACHE, is_on=False, reason="a test", by=user, by_name="carol"
    )
    user.delete()
    assert SwitchChange.objects.get().by_name == "carol"


PROCESS = """
import time, django
django.setup()
from django.core.signals import request_started
from performance import conf
request_started.send(None)
print(conf.current().cache.conversations, flush=True)
end = time.monotonic() + 10
while conf.current().cache.conversations and time.monotonic() < end: time.sleep(0.05)
print(conf.current().cache.conversations, flush=True)
"""


@pytest.mark.django_db(transaction=True)
def test_another_process_follows(monkeypatch: pytest.MonkeyPatch) -> None:
    from django.conf import settings

    name = str(connection.settings_dict["NAME"])
    monkeypatch.setenv("DATABASE_URL", f"{settings.DATABASE_URL.rpartition('/')[0]}/{name}")
    monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "chatsite.settings")
    with subprocess.Popen(
        [sys.executable, "-c", PROCESS], stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout
        assert other.stdout.readline() == "True\n"
        begun = time.monotonic()
        change(Switch.CONVERSATIONS, on=False)
        assert other.stdout.readline() == "False\n"
        assert time.monotonic() - begun < 9
