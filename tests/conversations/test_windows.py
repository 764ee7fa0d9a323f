"""Windows against the plain definition: follow each message's parent up to the first."""

from __future__ import annotations

import random
import re
from typing import Any

import pytest
from django.db import connection
from django.http import Http404
from django.test.utils import CaptureQueriesContext

from conversations import windows
from conversations.models import Branch, Conversation, Message, Role
from conversations.windows import Anchor, Window
from tests.factories import ConversationFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def conversation() -> Conversation:
    made: Conversation = ConversationFactory.create()
    return made


def window(
    conversation: Conversation, kind: Any = "newest", number: int = 0, size: int = 50
) -> Window:
    own = Conversation.objects.filter(pk=conversation.pk)
    found = windows.window(windows.with_window(own, Anchor(kind, number), size).get())
    assert found
    return found


def read(
    conversation: Conversation, kind: Any = "newest", number: int = 0, size: int = 50
) -> list[int]:
    found = window(conversation, kind, number, size)
    return list(Message.objects.filter(found.holds).order_by("place").values_list("pk", flat=True))


class Tree:
    """A conversation that grows at random, and where each message's parent is."""

    def __init__(self, conversation: Conversation, seed: int) -> None:
        self.random = random.Random(seed)
        self.conversation = conversation
        self.parents: dict[int, int | None] = {}
        self.leaf: int | None = None  # of the branch that is shown

    def grow(self, steps: int) -> None:
        for _ in range(steps):
            step = self.random.choice([self.append, self.append, self.append, self.fork, self.show])
            step()

    def append(self) -> None:
        self._add(self.conversation.shown_branch, self.leaf)

    def fork(self) -> None:
        if self.parents:
            pk = self.random.choice(list(self.parents))
            before = Message.objects.select_related("branch").get(pk=pk)
            self._add(Branch.objects.forked(before=before), self.parents[pk])

    def show(self) -> None:
        if self.parents:
            pk = self.random.choice(list(self.parents))
            branch = windows.latest_branch(Message.objects.get(pk=pk))
            branch.show()
            self.leaf = branch.messages.order_by("-place").values_list("pk", flat=True)[0]
            assert pk in self.way(self.leaf)

    def _add(self, branch: Branch, parent: int | None) -> None:
        message = Message(role=Role.USER, text="x")
        branch.append(message)
        self.parents[message.pk] = parent
        self.leaf = message.pk

    def way(self, leaf: int | None) -> list[int]:
        found: list[int] = []
        while leaf is not None:
            found.insert(0, leaf)
            leaf = self.parents[leaf]
        return found


@pytest.mark.parametrize("seed", range(6))
def test_every_window_is_the_part_of_the_way_that_it_names(
    conversation: Conversation, seed: int
) -> None:
    tree = Tree(conversation, seed)
    tree.append()
    tree.grow(60)
    way = tree.way(tree.leaf)

    assert read(conversation, size=1000) == way
    assert read(conversation, size=7) == way[-7:]
    for place in range(1, len(way) + 1):
        assert read(conversation, "from", place, size=4) == way[place - 1 :][:4]
        assert read(conversation, "before", way[place - 1], size=4) == way[: place - 1][-4:]
        last = Message.objects.get(pk=way[place - 1])
        assert [one.pk for one in windows.before(last, 4)] == way[: place - 1][-4:]
        assert read(conversation, "after", way[place - 1], size=4) == way[place:][:4]
        assert way[place - 1] in read(conversation, "at", way[place - 1], size=4)
    assert len(read(conversation, "at", way[0], size=4)) == min(len(way), 4)


@pytest.mark.parametrize("seed", range(3))
def test_parents_and_versions_agree_with_the_tree(conversation: Conversation, seed: int) -> None:
    tree = Tree(conversation, seed)
    tree.append()
    tree.grow(60)
    messages = {message.pk: message for message in Message.objects.with_parent()}

    assert {pk: message.parent_id for pk, message in messages.items()} == tree.parents  # type: ignore[attr-defined]
    for pk, parent in tree.parents.items():
        siblings = sorted(other for other, theirs in tree.parents.items() if theirs == parent)
        branches = windows.versions(messages[pk])
        found = [Message.objects.get(branch=one, place=messages[pk].place).pk for one in branches]
        assert sorted(found or [pk]) == siblings
        whole = window(conversation, "at", pk, 1000).versions(
            messages[pk].branch_id, messages[pk].place
        )
        assert whole == branches


def test_what_a_message_is_in_may_not_be_what_is_shown(conversation: Conversation) -> None:
    tree = Tree(conversation, 0)
    tree.append()
    first = tree.leaf
    tree.append()
    tree._add(Branch.objects.forked(before=Message.objects.get(pk=tree.leaf)), first)
    assert first
    hidden = next(pk for pk in tree.parents if pk not in tree.way(tree.leaf))

    assert not window(conversation, "at", hidden).shown
    assert window(conversation, "at", first).shown
    assert read(conversation, "at", hidden) == [first, hidden]


def test_a_message_of_another_conversation_is_none(conversation: Conversation) -> None:
    other = Tree(ConversationFactory.create(), 0)
    other.append()
    own = Conversation.objects.filter(pk=conversation.pk)
    for kind in ("newest", "from"):
        assert windows.window(windows.with_window(own, Anchor(kind)).get()) is None  # type: ignore[arg-type]
    Tree(conversation, 0).append()
    for kind in ("before", "after", "at"):
        anchor = Anchor(kind, other.leaf or 0)  # type: ignore[arg-type]
        assert windows.window(windows.with_window(own, anchor).get()) is None


@pytest.mark.parametrize("number", ["x", "-1", "9" * 30, "²"])
def test_a_number_that_is_none_is_not_found(number: str) -> None:
    with pytest.raises(Http404):
        Anchor.read({"before": number})


MANY = """
INSERT INTO conversations_message (conversation_id, branch_id, place, role, text, html, renderer, created_at)
SELECT %s, %s, n, 'user', '', '', 1, now() FROM generate_series(%s::int, %s::int) n
"""


def test_a_page_reads_as_much_of_a_long_conversation_as_of_a_short_one(
    conversation: Conversation,
) -> None:
    """Blocks that PostgreSQL touches, of the newest page and of one in the middle."""
    branch = conversation.shown_branch
    touched = []
    for first, last in ((1, 100), (101, 30_000)):
        with connection.cursor() as cursor:
            cursor.execute(MANY, [conversation.pk, branch.pk, first, last])
            cursor.execute("ANALYZE conversations_message")
        middle = Message.objects.get(branch=branch, place=last // 2).pk
        touched.append(
            (_blocks(conversation, "newest", 0), _blocks(conversation, "before", middle))
        )
    (short, short_middle), (long, long_middle) = touched
    # A deeper index costs a block at each descent; a scan would cost hundreds.
    assert long <= short + 20
    assert long_middle <= short_middle + 20


def _blocks(conversation: Conversation, kind: Any, number: int) -> int:
    with CaptureQueriesContext(connection) as queries:
        read(conversation, kind, number)
    blocks = 0
    for query in queries:
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS) {query['sql']}")
            plan = "\n".join(row[0] for row in cursor.fetchall())
        top = plan.split("Planning:")[0]
        hit = re.search(r"Buffers: shared (.+)", top)
        assert hit
        blocks += sum(int(count) for count in re.findall(r"(?:hit|read)=(\d+)", hit[1]))
    return blocks
