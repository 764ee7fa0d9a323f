"""What happens in a run and in a round, by their seeds."""

from __future__ import annotations

import random
from dataclasses import dataclass

ACTS = ("drop", "reload", "late", "slow", "twice", "stop")
LONG = 3.2  # seconds of a story, within which most of it happens
# Of a round: what dies, by chance one or the other of the two. Every third round nothing does.
FAULTS = (
    (),
    ("web",),
    ("worker",),
    (),
    ("queue",),
    ("web", "worker"),
    (),
    ("worker", "queue"),
    ("web", "queue"),
)


@dataclass(frozen=True)
class Act:
    """At `moment`, in seconds since the message was sent, device `device` does `what`."""

    moment: float
    device: int
    what: str


@dataclass(frozen=True)
class Plan:
    """`sends_twice`, and what else is done in its order; device 2 is there where it comes late."""

    seed: int
    sends_twice: bool
    acts: tuple[Act, ...]

    @property
    def stops(self) -> bool:
        return any(act.what == "stop" for act in self.acts)

    @classmethod
    def of(cls, seed: int, only: tuple[str, ...] = ()) -> Plan:
        """`only` are the acts of a run that is not left to chance."""
        rng = random.Random(f"run {seed}")
        chosen = only or tuple(rng.sample(ACTS, rng.randint(1, 3)))
        acts = [
            Act(round(rng.uniform(0, LONG), 2), 2 if what == "late" else rng.randrange(2), what)
            for what in chosen
            if what != "twice"
        ]
        return cls(seed, "twice" in chosen, tuple(sorted(acts, key=lambda act: act.moment)))


@dataclass(frozen=True)
class Fault:
    """`moment` seconds after all have sent their messages the process `number` of that kind is killed."""

    moment: float
    kind: str
    number: int

    def __str__(self) -> str:
        return f"{self.kind} {self.number} killed after {self.moment} s"


def faults(first: int, abreast: int, only: tuple[str, ...] | None = None) -> list[Fault]:
    """Those of the round that begins with the run of seed `first`; `only` where nothing is left to chance."""
    rng = random.Random(f"round {first}")
    kinds = FAULTS[first // abreast % len(FAULTS)] if only is None else only
    return [Fault(round(rng.uniform(0.3, LONG), 2), kind, rng.randrange(2)) for kind in kinds]
