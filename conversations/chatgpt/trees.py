"""The mapping of nodes as branches: runs of messages, the way of `current_node` first.

Nodes without words are passed over, and what stood behind them follows what stood before. Answers of several
nodes (code, its output, more text) are one message, as they were on the page.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from conversations.chatgpt import contents
from conversations.chatgpt.shapes import ExportedConversation, ExportedMessage, Node


@dataclass
class Said:
    """A message to be."""

    role: str  # user or assistant
    text: str
    moment: float | None
    model: str


@dataclass
class Run:
    """A branch to be: it departs from an earlier run, by its number, after place `fork`."""

    parent: int | None
    fork: int
    messages: list[Said] = field(default_factory=list)


@dataclass
class Tree:
    """`shown` is the number of the run with the current node; `left` counts what was not taken, by kind."""

    runs: list[Run]
    shown: int
    left: Counter[str]


def tree(conversation: ExportedConversation) -> Tree:
    left: Counter[str] = Counter()
    said = _said(conversation.mapping, left)
    children = _visible(conversation.mapping, said, left)
    way = _way(conversation, said)
    growing = _Growing(said, children, frozenset(way))
    growing.grow()
    shown = growing.run_of.get(way[-1], 0) if way else 0
    return Tree(growing.runs, shown, +left)


class _Growing:
    """Runs as they are found. Each first child goes on in its run, each other one begins another."""

    def __init__(
        self, said: dict[str, Said], children: dict[str, list[str]], way: frozenset[str]
    ) -> None:
        self.runs: list[Run] = []
        self.run_of: dict[str, int] = {}
        self._said, self._children, self._way = said, children, way

    def grow(self) -> None:
        waiting: list[tuple[str, int | None, int]] = [
            (root, None, 0) for root in reversed(self._first("")[0])
        ]
        while waiting:
            node, parent, fork = waiting.pop()
            run = Run(parent, fork)
            self.runs.append(run)
            waiting += reversed(self._follow(run, node))

    def _follow(self, run: Run, node: str) -> list[tuple[str, int | None, int]]:
        """Fills the run from that node on. Returns what departs from it."""
        number = len(self.runs) - 1
        departing: list[tuple[str, int | None, int]] = []
        is_fork = True  # where others depart, the text before them must stay as it is
        on: str | None = node
        while on is not None:
            _append(run, self._said[on], apart=is_fork)
            self.run_of[on] = number
            following, is_fork = self._first(on)
            departing += [(one, number, run.fork + len(run.messages)) for one in following[1:]]
            on = following[0] if following else None
        return departing

    def _first(self, node: str) -> tuple[list[str], bool]:
        """Its children, that on the shown way first, or else the newest; and whether they are several."""
        found = self._children.get(node, [])
        if len(found) < 2:
            return found, False
        first = next((child for child in found if child in self._way), found[-1])
        return [first, *(child for child in found if child != first)], True


def _append(run: Run, one: Said, *, apart: bool) -> None:
    last = run.messages[-1] if run.messages else None
    if not apart and last is not None and last.role == one.role == "assistant":
        last.text = f"{last.text}\n\n{one.text}"[: contents.LONGEST]
        last.model = one.model or last.model
    else:
        run.messages.append(Said(one.role, one.text, one.moment, one.model))


def _said(mapping: dict[str, Node], left: Counter[str]) -> dict[str, Said]:
    found = {}
    for name, node in mapping.items():
        if node.message is None:
            continue
        if _is_hidden(node.message):
            left["hidden"] += bool(contents.text(node.message)[0])
            continue
        text, lacking = contents.text(node.message)
        if lacking:
            left[lacking] += 1
        if text:
            found[name] = _one(node.message, text)
    return found


def _is_hidden(message: ExportedMessage) -> bool:
    metadata = message.metadata
    return metadata is not None and (
        metadata.is_visually_hidden_from_conversation or metadata.is_user_system_message
    )


def _one(message: ExportedMessage, text: str) -> Said:
    role = "user" if message.author.role == "user" else "assistant"
    model = (message.metadata.model_slug if message.metadata else None) or ""
    if message.author.role == "tool" and not text.startswith("`"):
        text = f"*{message.author.name or 'tool'}:*\n\n{text}"
    elif message.author.role == "system":
        text = f"*System:*\n\n{text}"
    return Said(role, text, message.create_time, model)


def _visible(
    mapping: dict[str, Node], said: dict[str, Said], left: Counter[str]
) -> dict[str, list[str]]:
    """The children with words of each node with words; those of "" begin the conversation."""
    children: dict[str, list[str]] = {}
    above: dict[str, str] = {}
    roots = [name for name, node in mapping.items() if node.parent not in mapping]
    waiting = [(root, "") for root in reversed(roots)]
    while waiting:
        name, parent = waiting.pop()
        if name in above:
            continue  # a node that is two nodes' child, or its own ancestor
        above[name] = parent
        here = parent
        if name in said:
            children.setdefault(parent, []).append(name)
            here = name
        listed = [child for child in mapping[name].children if child in mapping]
        waiting += [(child, here) for child in reversed(listed)]
    left["unconnected"] += sum(name not in above for name in said)
    return children


def _way(conversation: ExportedConversation, said: dict[str, Said]) -> list[str]:
    """The nodes with words that lead to the current one."""
    way: list[str] = []
    seen: set[str] = set()
    at = conversation.current_node
    while at and at in conversation.mapping and at not in seen:
        seen.add(at)
        if at in said:
            way.append(at)
        at = conversation.mapping[at].parent
    return way[::-1]
