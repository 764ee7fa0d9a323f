"""What people choose under /settings/."""

from __future__ import annotations

from typing import Any

from tests.integration.stale.acting import act
from tests.integration.stale.people import Person
from tests.integration.stale.world import World


@act
def choose_colours(world: World, person: Person, pick: int) -> None:
    person.post("/settings/appearance/", theme=["dark", "light", "contrast", ""][pick % 4])


@act
def choose_a_language(world: World, person: Person, pick: int) -> None:
    person.post("/settings/language/", language=["de", "en", ""][pick % 3])


@act
def choose_a_time_zone(world: World, person: Person, pick: int) -> None:
    zones = ["Asia/Tokyo", "America/New_York", "Europe/Berlin", ""]
    person.post("/settings/time/", time_zone=zones[pick % 4])


@act
def choose_a_model(world: World, person: Person, pick: int) -> None:
    prompt = person.words("always") if pick % 3 else ""
    model = ["default/two", ""][pick % 2]
    person.post("/settings/assistant/", chat_model=model, system_prompt=prompt)


@act
def choose_to_keep_nothing(world: World, person: Person, pick: int) -> None:
    boxes: dict[str, Any] = {"use_caches": "on"} if pick % 2 else {}
    person.post("/settings/history/", **boxes)


@act
def choose_to_use_no_cache(world: World, person: Person, pick: int) -> None:
    person.post("/settings/history/", keep_history="on")


@act
def choose_to_use_caches(world: World, person: Person, pick: int) -> None:
    person.post("/settings/history/", keep_history="on", use_caches="on")


@act
def sign_out_and_in(world: World, person: Person, pick: int) -> None:
    person.browser.client.post("/accounts/logout/")
    world.compare(person, person.pages()[0], signed_out=True)
    person.sign_in()
