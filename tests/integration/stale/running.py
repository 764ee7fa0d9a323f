"""What staff do, what operators do, and what happens by itself."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib.auth import get_user_model

from conversations.models import Message, Quota, Rating, SystemPrompt, ToolRun, ToolSwitch
from tests.integration.stale.acting import act
from tests.integration.stale.people import Person, picked
from tests.integration.stale.world import World


def _change(person: Person, **fields: Any) -> None:
    """As the admin does: the whole row is saved."""
    user = get_user_model().objects.get(pk=person.user.pk)
    for name, value in fields.items():
        setattr(user, name, value)
    user.save()
    person.user = user


@act
def be_shut_out(world: World, person: Person, pick: int) -> None:
    _change(person, is_active=False)
    world.compare(person, person.pages()[0], signed_out=True)
    _change(person, is_active=True)


@act
def be_called_otherwise(world: World, person: Person, pick: int) -> None:
    _change(person, username=f"{person.canary}x{pick}")


@act
def become_staff_or_not(world: World, person: Person, pick: int) -> None:
    _change(person, is_staff=not person.user.is_staff)


@act
def change_the_password(world: World, person: Person, pick: int) -> None:
    person.user.set_password(f"another {pick}")
    person.user.save()
    try:
        world.compare(person, person.pages()[0], signed_out=True)
    finally:
        person.sign_in()


@act
def reach_a_quota(world: World, person: Person, pick: int) -> None:
    person.post("/", text=person.words("say within"))
    quota = Quota.objects.create(user=person.user, measure="messages", period="hour", most=0)
    person.post("/", text=person.words("say beyond"))
    quota.delete()


@act
def tell_the_assistant_something_else(world: World, person: Person, pick: int) -> None:
    SystemPrompt.objects.create(text=f"Be brief. {pick}", reason="so", by_name="staff")


@act
def switch_a_tool(world: World, person: Person, pick: int) -> None:
    if not ToolSwitch.objects.filter(name="calculator").delete()[0]:
        ToolSwitch.objects.create(name="calculator")


@act
def have_staff_delete_something(world: World, person: Person, pick: int) -> None:
    own = {"conversation__user": person.user}
    rows: list[Any] = [
        person.user.attachments.exclude(conversation=None).order_by("-created_at"),
        ToolRun.objects.filter(reply__message__conversation__user=person.user).order_by("-pk"),
        Rating.objects.filter(user=person.user).order_by("-pk"),
        Message.objects.filter(**own).exclude(place=1).order_by("-pk"),
    ]
    if row := picked(rows[pick % 4], 0):
        row.delete()


@act
def offer_other_models(world: World, person: Person, pick: int) -> None:
    world.site.offer(pick)


@act
def edit_a_template(world: World, person: Person, pick: int) -> None:
    world.site.edit_a_template()


@act
def deploy(world: World, person: Person, pick: int) -> None:
    world.site.deploy()


@act
def deploy_static_files(world: World, person: Person, pick: int) -> None:
    world.site.deploy_static_files()


@act
def keep_temporary_ones_longer(world: World, person: Person, pick: int) -> None:
    world.site.set(TEMPORARY_HOURS=24 + pick)


@act
def let_a_day_pass(world: World, person: Person, pick: int) -> None:
    world.site.pass_time(timedelta(days=1))


@act
def switch_caches_off(world: World, person: Person, pick: int) -> None:
    names = ["cache.enabled", "cache.conversations", "cache.ai_responses", "cache.tool_results"]
    world.turn_off(names[pick % 4])


@act
def switch_caches_on(world: World, person: Person, pick: int) -> None:
    world.turn_off()


@act
def lose_all_that_is_cached(world: World, person: Person, pick: int) -> None:
    world.redis.flushdb()
