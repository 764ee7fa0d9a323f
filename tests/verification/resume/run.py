"""One run: a message, its answer on several devices, and whether all of them show the same in the end."""

from __future__ import annotations

import asyncio
import socket
import time
import uuid
from contextlib import suppress
from dataclasses import dataclass, field

import httpx2
from asgiref.sync import sync_to_async

from tests.benchmarks.chat import Person
from tests.verification.resume import story
from tests.verification.resume.answer import Answer
from tests.verification.resume.device import Device
from tests.verification.resume.page import words
from tests.verification.resume.plan import Act, Plan
from tests.verification.resume.provider import Call

SMALL = [(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)]  # so that the other end feels a slow reader
PATIENCE = 150.0  # seconds until every device must show an end
ENDED = {"complete", "stopped"}


@dataclass(frozen=True)
class Row:
    """What PostgreSQL has of the conversation."""

    roles: tuple[str, ...]
    status: str
    attempt: int
    text: str
    html: str


@dataclass
class Run:
    """`stopped_at` is when the button was pressed (perf_counter); `timeline` what happened, and when."""

    plan: Plan
    person: Person
    fronts: list[str]
    timeline: list[str] = field(default_factory=list)
    devices: list[Device] = field(default_factory=list)
    begun: float = field(default_factory=time.monotonic)
    stopped_at: float | None = None
    row: Row | None = None
    problems: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        """Its seed, its plan, all that happened and what is wrong."""
        return "\n".join([f"== {self.plan}", *self.timeline, *self.problems])

    async def open(self) -> None:
        """The two devices that are there from the beginning."""
        await asyncio.gather(self._device().open(), self._device().open())

    async def play(self) -> None:
        """From the message until every device shows the answer's end, or has had time enough."""
        self.begun = time.monotonic()
        try:
            async with asyncio.timeout(PATIENCE):
                await self._act_it_out()
                while not all(self._shows_an_end(device) for device in self.devices):
                    await asyncio.sleep(0.1)
        except* TimeoutError:
            self.problems.append("a device shows no end")
        except* AssertionError as group:
            self.problems += [str(error)[:300] for error in group.exceptions]

    async def _act_it_out(self) -> None:
        key, text = uuid.uuid4(), story.question(self.plan.seed)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.devices[0].send(text, key, twice=self.plan.sends_twice))
            for act in self.plan.acts:
                tasks.create_task(self._do(act))

    async def _do(self, act: Act) -> None:
        await asyncio.sleep(act.moment)
        self.note(act.device, act.what)
        match act.what:
            case "late":
                await self._device().open()
            case "drop":
                self.devices[act.device].drop()
            case "slow":
                self.devices[act.device].sip()
            case "reload":
                await self.devices[act.device].open()
            case "stop":
                await self._stop(self.devices[act.device])

    async def _stop(self, device: Device) -> None:
        """As soon as that device shows an answer that can be stopped, unless it shows its end."""
        while self.stopped_at is None and not self._shows_an_end(device):
            self.stopped_at = await device.stop()
            await asyncio.sleep(0.05)
        self.note(
            self.devices.index(device), "has stopped it" if self.stopped_at else "is too late"
        )

    def _device(self) -> Device:
        number = len(self.devices)
        # An address each, as different people have: nginx counts what comes from one.
        address = f"127.{1 + self.plan.seed // 250 % 250}.{1 + self.plan.seed % 250}.1"
        fronts = self.fronts[number % len(self.fronts) :] + self.fronts[: number % len(self.fronts)]
        sips = any((act.device, act.what) == (number, "slow") for act in self.plan.acts)
        client = httpx2.AsyncClient(
            transport=httpx2.AsyncHTTPTransport(
                local_address=address, socket_options=SMALL if sips else None
            ),
            headers={"Cookie": self.person.headers["Cookie"]},
            timeout=httpx2.Timeout(10, read=None),
        )
        device = Device(client, self.person, fronts, lambda said: self.note(number, said))
        self.devices.append(device)
        return device

    @staticmethod
    def _shows_an_end(device: Device) -> bool:
        answers = device.page.answers if device.page else []
        return bool(answers) and all(one.status in ENDED for one in answers)

    def note(self, device: int, what: str) -> None:
        self.timeline.append(f"{time.monotonic() - self.begun:7.2f} s  device {device} {what}")

    async def judge(self, calls: list[Call], *, lost_frames: bool) -> None:
        """Once all is over: compares the row, every device and a page that is opened now.

        `lost_frames`: the queue died meanwhile, so that events may be missing, but none may be wrong.
        """
        self.row = await sync_to_async(_row)(self.person)
        with suppress(AssertionError):
            await self._device().open()
        self.problems += self._of_row(calls)
        for number, device in enumerate(self.devices):
            self.problems += [
                f"device {number}: {problem}"
                for problem in self._of_device(device, lost_frames=lost_frames)
            ]
        for device in self.devices:
            await device.close()

    def _of_row(self, calls: list[Call]) -> list[str]:
        assert self.row
        row, told = self.row, story.whole(self.plan.seed)
        found = []
        if row.roles != ("user", "assistant"):
            found.append(f"the conversation has {row.roles}")
        if row.status not in ENDED or (row.status == "stopped" and not self.stopped_at):
            found.append(f"it ended as {row.status!r}")
        if row.status == "complete" and row.text != told:
            found.append(f"{len(row.text)} of {len(told)} characters are stored")
        if not told.startswith(row.text):
            found.append("what is stored was not told so")
        if any(call.is_open for call in calls):
            found.append("the model is still telling")
        if len(calls) > row.attempt:
            found.append(f"the model was asked {len(calls)} times in {row.attempt} attempts")
        return found

    def _of_device(self, device: Device, *, lost_frames: bool) -> list[str]:
        assert self.row
        found, row = [], self.row
        shown = list(device.page.shown.values()) if device.page else []
        answers = [one for one in shown if isinstance(one, Answer)]
        if len(shown) != 2 or len(answers) != 1:
            return [f"shows {len(shown)} messages, {len(answers)} of them answers"]
        if answers[0].status != row.status:
            found.append(f"shows {answers[0].status!r} and not {row.status!r}")
        if words(answers[0].sight) != words(row.html):
            found.append(_difference(words(answers[0].sight), words(row.html)))
        found += [
            f"heard {len(heard)} characters, stored are {len(row.text)}"
            for heard in device.heard_ends
            if heard != row.text and not (lost_frames and row.text.startswith(heard))
        ]
        if device.repeated:
            found.append(f"was sent again what it had: {device.repeated[:3]}")
        return found


def _difference(seen: list[str], stored: list[str]) -> str:
    at = next(
        (at for at, pair in enumerate(zip(seen, stored, strict=False)) if len(set(pair)) > 1), -1
    )
    return f"shows {len(seen)} words, stored are {len(stored)}; they differ from word {at} on"


def _row(person: Person) -> Row:
    from conversations.models import Message, Reply

    messages = Message.objects.filter(conversation=person.conversation).order_by("place", "pk")
    replies = Reply.objects.filter(message__conversation=person.conversation)
    reply = replies.select_related("message").first()
    return Row(
        roles=tuple(str(message.role) for message in messages),
        status=str(reply.status) if reply else "nowhere",
        attempt=reply.attempt if reply else 0,
        text=reply.message.text if reply else "",
        html=reply.message.html if reply else "",
    )
