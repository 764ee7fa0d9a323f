"""Which plan a question gets. Rules first, the narrow ones before the wide; then the help."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from conversations.ai.base import Turn
from conversations.ai.guide import arithmetic, counting, memories, refusals, summary
from conversations.ai.guide.conversions import conversion
from conversations.ai.guide.follow_ups import continued
from conversations.ai.guide.moments import moment
from conversations.ai.guide.phrases import LONGEST, plain
from conversations.ai.guide.plans import Call, Plan, Say, Use, use
from conversations.ai.guide.renaming import renaming
from conversations.ai.guide.small_talk import small_talk

TOO_LONG = (
    f"{refusals.ABSTENTION} That is longer than the questions I can read. Ask in one or two short sentences, or put a"
    ' text in quotation marks to have it counted: `how many words are in "..."?`'
)
NOTHING_SAID = (
    "There is nothing to summarise yet: you have only asked questions in this conversation."
)


def route(text: str, earlier: Sequence[Turn] = ()) -> Plan:
    """The plan for the user's message `text`, which follows the turns `earlier`."""
    if counted := counting.count(text):
        return counted
    if len(text) > LONGEST:
        return Say(TOO_LONG)
    question = plain(text)
    for rule in RULES:
        plan = rule(text, question, earlier)
        if plan is not None:
            return plan
    return _look_up(text, question)


def _small_talk(text: str, question: str, earlier: Sequence[Turn]) -> Plan | None:
    answer = small_talk(text)
    return Say(answer) if answer else None


def _summary(text: str, question: str, earlier: Sequence[Turn]) -> Plan | None:
    if not summary.is_asked(question):
        return None
    points = summary.summary(earlier)
    if not points:
        return Say(NOTHING_SAID)
    return Say(
        f"In your own words, the sentences that say most about this conversation:\n\n{points}"
    )


def _continued(text: str, question: str, earlier: Sequence[Turn]) -> Plan | None:
    return continued(question, earlier, route)


def _arithmetic(text: str, question: str, earlier: Sequence[Turn]) -> Plan | None:
    expression = arithmetic.expression(question)
    return use("calculator", expression=expression) if expression else None


def _memory(text: str, question: str, earlier: Sequence[Turn]) -> Plan | None:
    topic = memories.topic(question)
    return use("search_conversations", topic, query=topic) if topic else None


def _moment(text: str, question: str, earlier: Sequence[Turn]) -> Plan | None:
    return moment(question)


def _conversion(text: str, question: str, earlier: Sequence[Turn]) -> Plan | None:
    return conversion(question)


def _refusal(text: str, question: str, earlier: Sequence[Turn]) -> Plan | None:
    answer = refusals.refusal(question)
    return Say(answer) if answer else None


Rule = Callable[[str, str, Sequence[Turn]], Plan | None]
RULES: tuple[Rule, ...] = (
    _small_talk,
    renaming,
    _summary,
    _continued,
    _arithmetic,
    _memory,
    _moment,
    _conversion,
    _refusal,
)


def _look_up(text: str, question: str) -> Plan:
    """The help; and the user's own messages where the question sounds personal."""
    if not question:
        return Say(refusals.LACKING)
    calls = [Call("search_help", {"query": text})]
    if memories.is_personal(question):
        calls.append(Call("search_conversations", {"query": question}))
    return Use(tuple(calls), "command" if refusals.is_command(question) else "")
