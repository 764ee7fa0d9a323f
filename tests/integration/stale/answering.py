"""What the assistant's workers do, a step at a time: claimed, written, kept up, ended."""

from __future__ import annotations

from typing import Any
from unittest.mock import patch

from asgiref.sync import async_to_sync

from conversations import attempts, replies, tasks, titles
from conversations.attachments import reading
from conversations.models import ReadingState, Status
from tests.integration.stale.acting import act
from tests.integration.stale.people import Person
from tests.integration.stale.world import World


@act
def answer(world: World, person: Person, pick: int) -> None:
    """From the first word to the last, and the conversation's name after it."""
    if reply := person.answer(pick, Status.PENDING):
        async_to_sync(replies.write)(reply.pk, reply.attempt + 1)
        async_to_sync(titles.suggest)(reply.message_id)


@act
def claim(world: World, person: Person, pick: int) -> None:
    if reply := person.answer(pick, Status.PENDING):
        attempt = attempts.begin(reply.pk, reply.attempt + 1)
        assert attempt is not None
        world.attempts[reply.pk] = attempt
        async_to_sync(attempts.forget_pending)(attempt)


@act
def write_on(world: World, person: Person, pick: int) -> None:
    if attempt := _attempt(world, person):
        attempt.text += person.words("- and")
        attempts.checkpoint(attempt, "0-1")


@act
def wait_for_the_provider(world: World, person: Person, pick: int) -> None:
    if attempt := _attempt(world, person):
        attempts.hold(attempt, 90 * (pick % 2))


@act
def end(world: World, person: Person, pick: int) -> None:
    if attempt := _attempt(world, person):
        attempt.text += person.words("the end")
        attempts.end(attempt, Status.COMPLETE)


@act
def fail(world: World, person: Person, pick: int) -> None:
    if attempt := _attempt(world, person):
        attempt.outcome = dict(attempts.INTERNAL)
        attempts.end(attempt, Status.FAILED)


@act
def hand_back(world: World, person: Person, pick: int) -> None:
    if attempt := _attempt(world, person):
        attempts.hand_back(attempt)


def _attempt(world: World, person: Person) -> Any:
    """Also one that was stopped or deleted meanwhile: its worker learns of that from what it writes."""
    reply = person.answer(0, Status.RUNNING)
    return world.attempts.get(reply.pk) if reply else None


@act
def sweep(world: World, person: Person, pick: int) -> None:
    tasks.sweep_replies.func()
    tasks.delete_temporary.func()


@act
def begin_to_read_a_file(world: World, person: Person, pick: int) -> None:
    if file := person.file(ReadingState.WAITING):
        with patch.object(reading, "_read"):  # a process of its own, which takes its time
            reading.read(file.pk)


@act
def end_reading_a_file(world: World, person: Person, pick: int) -> None:
    if file := person.file(ReadingState.WAITING, ReadingState.READING):
        good = pick % 2 == 0
        state = ReadingState.READY if good else ReadingState.FAILED
        file.end(state, problem="" if good else "damaged")
