"""What people do in their conversations, each through its view."""

from __future__ import annotations

import re
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile

from conversations import tasks
from conversations.models import Attachment, Message, Role, Status
from tests.integration.stale.acting import act
from tests.integration.stale.people import Person, picked
from tests.integration.stale.world import World

OVER = (Status.COMPLETE, Status.STOPPED, Status.FAILED)


def _address(answer: Any, name: str) -> str:
    message = answer.message
    return f"{message.conversation.get_absolute_url()}messages/{message.pk}/{name}/"


@act
def begin(world: World, person: Person, pick: int) -> None:
    person.post("/", text=person.words("say begun"))


@act
def begin_with_a_tool(world: World, person: Person, pick: int) -> None:
    person.post("/", text=f'tool calculator {{"expression": "{pick + 1}+1"}}')


@act
def begin_with_a_tool_that_asks(world: World, person: Person, pick: int) -> None:
    person.post("/", text=f'tool rename_conversation {{"title": "{person.words("named")}"}}')


@act
def begin_in_secret(world: World, person: Person, pick: int) -> None:
    person.post("/", text=person.words("say secret"), temporary="on")


@act
def ask_the_same(world: World, person: Person, pick: int) -> None:
    """Twice of it comes from the cache of answers."""
    person.post("/", text=f"say the same {person.canary}")


@act
def send(world: World, person: Person, pick: int) -> None:
    if conversation := person.conversation(pick):
        person.post(f"{conversation.get_absolute_url()}messages/", text=person.words("say more"))


@act
def send_a_file(world: World, person: Person, pick: int) -> None:
    file = SimpleUploadedFile(f"{person.words('file')}.txt", person.canary.encode())
    person.post("/attachments/", upload=file)
    unsent = Attachment.objects.filter(user=person.user, conversation=None).first()
    if conversation := person.conversation(pick):
        url = f"{conversation.get_absolute_url()}messages/"
        person.post(url, text=person.words("say read"), attached=unsent.pk if unsent else "")


@act
def stop(world: World, person: Person, pick: int) -> None:
    if answer := person.answer(pick, Status.PENDING, Status.RUNNING, Status.ASKING):
        person.post(_address(answer, "stop"))


@act
def ask_anew(world: World, person: Person, pick: int) -> None:
    if answer := person.answer(pick, *OVER):
        person.post(_address(answer, "retry"))


@act
def ask_another_model(world: World, person: Person, pick: int) -> None:
    if answer := person.answer(pick, *OVER):
        person.post(_address(answer, "retry"), chat_model="default/two")


@act
def go_on(world: World, person: Person, pick: int) -> None:
    if answer := person.answer(pick, Status.STOPPED, Status.FAILED):
        person.post(_address(answer, "continue"))


@act
def decide(world: World, person: Person, pick: int) -> None:
    if answer := person.answer(0, Status.ASKING):
        run: Any = answer.tool_runs.last()
        decision = "allow" if pick % 2 == 0 else "refuse"
        person.post(_address(answer, f"tools/{run.pk}"), decision=decision, seal=run.seal)


@act
def edit(world: World, person: Person, pick: int) -> None:
    own = Message.objects.filter(conversation__user=person.user, role=Role.USER).order_by("-pk")
    if message := picked(own.select_related("conversation"), pick):
        url = f"{message.conversation.get_absolute_url()}messages/{message.pk}/edit/"
        person.post(url, text=person.words("say edited"))


@act
def show_another_version(world: World, person: Person, pick: int) -> None:
    for conversation in person.conversations:
        shown = conversation.shown_branch.pk
        others = conversation.messages.exclude(branch=shown).order_by("-pk")
        if message := picked(others, pick):
            own = conversation.get_absolute_url()
            person.post(f"{own}versions/{message.branch_id}/{message.place}/")
            return


@act
def rate(world: World, person: Person, pick: int) -> None:
    if answer := person.answer(pick // 3, Status.COMPLETE, Status.STOPPED):
        person.post(_address(answer, "rating"), thumb=["up", "down", ""][pick % 3])


@act
def say_why(world: World, person: Person, pick: int) -> None:
    if answer := person.answer(pick, Status.COMPLETE, Status.STOPPED):
        data = {"verdict": "down", "reason": "wrong", "comment": person.words("because")}
        person.post(_address(answer, "rating"), send_texts="on", **data)


@act
def rename(world: World, person: Person, pick: int) -> None:
    if conversation := person.conversation(pick):
        _file(person, conversation, title=person.words("called"))


@act
def pin(world: World, person: Person, pick: int) -> None:
    if conversation := person.conversation(pick):
        _file(person, conversation, pinned=not conversation.pinned)


@act
def archive(world: World, person: Person, pick: int) -> None:
    if conversation := person.conversation(pick):
        _file(person, conversation, archived=not conversation.archived)


@act
def tag(world: World, person: Person, pick: int) -> None:
    if conversation := person.conversation(pick):
        _file(person, conversation, tags="" if conversation.tags else person.canary)


def _file(person: Person, conversation: Any, **changes: Any) -> None:
    now = {"title": conversation.title or "-", "tags": ", ".join(conversation.tags)}
    boxes = {name: getattr(conversation, name) for name in ("pinned", "archived")}
    chosen = {**now, **boxes, **changes}
    data = {name: "on" if value is True else value for name, value in chosen.items()}
    url = f"{conversation.get_absolute_url()}rename/"
    person.post(url, **{name: value for name, value in data.items() if value is not False})


@act
def set_up(world: World, person: Person, pick: int) -> None:
    if conversation := person.conversation(pick):
        data = {"chat_model": ["", "default/two"][pick % 2], "system_prompt": person.words("heed")}
        person.post(f"{conversation.get_absolute_url()}setup/", **data)


@act
def delete(world: World, person: Person, pick: int) -> None:
    if conversation := person.conversation(pick):
        person.post(f"{conversation.get_absolute_url()}delete/")


@act
def share(world: World, person: Person, pick: int) -> None:
    if conversation := person.conversation(pick):
        url = f"{conversation.get_absolute_url()}share/"
        form: Any = person.window.get(url, {"with_name": "on"})
        hidden = dict(re.findall(r'name="(snapshot|key)" value="([^"]*)"', form.content.decode()))
        made: Any = person.post(url, days="0", **hidden)
        person.links += re.findall(r"/s/[\w-]+/", made.content.decode())[:1]


@act
def revoke(world: World, person: Person, pick: int) -> None:
    if link := picked(person.user.share_links.order_by("-pk"), pick):
        person.post(f"/settings/shares/{link.pk}/revoke/")


@act
def bring_back(world: World, person: Person, pick: int) -> None:
    """An export of one conversation, as another one."""
    if conversation := person.conversation(pick):
        export: Any = person.window.get(f"{conversation.get_absolute_url()}export/")
        file = SimpleUploadedFile("export.json", b"".join(export.streaming_content))
        person.post("/transfer/", file=file)
        for number in person.user.imports.unfinished().values_list("pk", flat=True):
            tasks.read_import.func(import_id=number)
