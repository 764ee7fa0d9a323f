"""Short messages that go on from an earlier question: "and in Paris?", "times 2"."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from conversations.ai.base import Turn
from conversations.ai.guide import arithmetic
from conversations.ai.guide.phrases import plain
from conversations.ai.guide.plans import Plan, Use, use

AND = re.compile(
    r"^(?:and|what about|how about|or)\s+(?:what about |how about )?(?P<rest>.{1,60})$"
)
IN = re.compile(r"^(?:in|to|into|for|at|as)\s+")
CHAIN = 4  # earlier questions that one message may hang on

Route = Callable[[str, Sequence[Turn]], Plan]


def continued(question: str, earlier: Sequence[Turn], route: Route) -> Plan | None:
    """The plan of the earlier question with the new part put in, or None."""
    operation = arithmetic.continuation(question)
    rest = AND.match(question)
    if operation is None and rest is None:
        return None
    previous = _previous_plan(earlier, route)
    if not isinstance(previous, Use) or len(previous.calls) != 1:
        return None
    (call,) = previous.calls
    if operation and call.tool == "calculator":
        return use("calculator", expression=f"({call.arguments['expression']}) {operation}")
    if rest is None:
        return None
    return _replaced(previous, plain(rest["rest"]))


def _replaced(previous: Use, rest: str) -> Plan | None:
    (call,) = previous.calls
    arguments = dict(call.arguments)
    has_preposition = bool(IN.match(rest))
    value = IN.sub("", rest)
    if call.tool == "date_and_time" and arguments["operation"] in {"now", "convert"}:
        key = "place" if arguments["operation"] == "now" else "to_place"
    elif call.tool == "date_and_time" and arguments["operation"] == "difference":
        key, value = "to_date", re.sub(r"^(?:until|till) ", "", rest)
    elif call.tool == "units":
        key = "to" if has_preposition or not re.search(r"\d|^an? ", rest) else "quantity"
    elif call.tool == "search_conversations":
        key, value = "query", re.sub(r"^(?:about|on) ", "", rest)
    else:
        return None
    focus = value if key == "query" else previous.focus
    return use(call.tool, focus, **(arguments | {key: value}))


def _previous_plan(earlier: Sequence[Turn], route: Route) -> Plan | None:
    questions = [at for at, turn in enumerate(earlier) if turn.role == "user"]
    if not questions:
        return None
    at = questions[-1]
    oldest = questions[-CHAIN] if len(questions) >= CHAIN else 0
    return route(earlier[at].text, earlier[oldest:at])
