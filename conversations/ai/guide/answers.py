"""Answers put together from what the tools gave: results in a sentence, passages quoted with links."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import msgspec

from conversations.ai.base import ToolCall
from conversations.ai.guide import refusals
from conversations.ai.guide.moment_answers import moment_answer
from conversations.ai.guide.plans import Plan, Say, Use, use

QUOTED = 2
NEAR = 0.06  # scores that differ by less than this: both are shown
NEAREST = 0.35  # from this score on a message is worth a look


class Outcome(msgspec.Struct, frozen=True):
    """One tool's call with what came back: `value`, or `error` in words."""

    call: ToolCall
    value: Any = None
    error: str = ""

    @classmethod
    def read(cls, call: ToolCall, text: str) -> Outcome:
        """`text` is JSON, or, for an error, perhaps the bare words."""
        try:
            value = json.loads(text)
        except ValueError:
            return cls(call, error=text or "The tool gave nothing back.")
        if isinstance(value, dict) and "error" in value:
            return cls(call, error=str(value["error"]))
        return cls(call, value)


def compose(question: str, plan: Use, outcomes: list[Outcome]) -> Plan:
    """The answer; or another call, where a tool found that the question was none for it."""
    failed = next((outcome for outcome in outcomes if outcome.error), None)
    if failed is not None and failed is outcomes[-1] and failed.call.name in SPOKEN_ERRORS:
        return Say(f"{SPOKEN_ERRORS[failed.call.name]} {failed.error}")
    by_tool = {outcome.call.name: outcome for outcome in outcomes if not outcome.error}
    if "search_help" in by_tool or "search_conversations" in by_tool:
        return _looked_up(plan, by_tool, failed)
    if failed is not None:
        return use("search_help", query=question)
    last = outcomes[-1]
    answer = ANSWERS.get(last.call.name)
    return Say(answer(plan.focus, last.value) if answer else refusals.LACKING)


def _looked_up(plan: Use, by_tool: dict[str, Outcome], failed: Outcome | None) -> Plan:
    quoted = _passages(by_tool["search_help"].value) if "search_help" in by_tool else ""
    if failed is not None and failed.error:
        return Say(f"{refusals.ABSTENTION} {failed.error}\n\n{quoted or refusals.LACKING_WHY}")
    if quoted:
        return Say(f"{refusals.DOING}\n\n{quoted}" if plan.focus == "command" else quoted)
    if "search_conversations" not in by_tool:
        return _nearest(by_tool["search_help"].value)
    found = by_tool["search_conversations"].value["messages"]
    matches = [one for one in found if one["is_match"]]
    if matches:
        return Say(_messages(matches))
    if "search_help" in by_tool:
        return _nearest(by_tool["search_help"].value)
    return Say(_nothing(plan.focus, found))


def _nearest(value: dict[str, Any]) -> Say:
    """A refusal, with a link where a passage comes near the question without clearly answering it."""
    near = [one for one in value["passages"][:1] if one.get("is_near")]
    links = [f"\n\nPerhaps this comes near: [{one['title']}]({one['url']})" for one in near]
    return Say(refusals.LACKING + "".join(links))


def _nothing(topic: str, found: list[dict[str, Any]]) -> str:
    nothing = f"I found nothing about “{topic}” in your own messages."
    if not found or found[0]["score"] < NEAREST:
        return nothing
    nearest = found[0]
    link = f"[{_link_text(nearest['conversation'])}]({nearest['url']})"
    return f"{nothing} The nearest, though probably about something else, is in {link}."


def _passages(value: dict[str, Any]) -> str:
    passages = [one for one in value["passages"] if one["is_match"]]
    near = [one for one in passages[:QUOTED] if passages[0]["score"] - one["score"] < NEAR]
    return "\n\n".join(
        f"{_quote(one['text'])}\n\nFrom the help: [{one['title']}]({one['url']})" for one in near
    )


def _messages(matches: list[dict[str, Any]]) -> str:
    return "\n\n".join(
        f"On {one['date']} you wrote in [{_link_text(one['conversation'])}]({one['url']}):\n\n{_quote(one['text'])}"
        for one in matches
    )


def _link_text(title: str) -> str:
    return title.replace("[", "(").replace("]", ")").replace("\n", " ")


def _quote(text: str) -> str:
    return "\n".join(f"> {line}".rstrip() for line in text.splitlines())


def _calculated(focus: str, value: dict[str, Any]) -> str:
    sign = "=" if value["exact"] else "≈"
    return f"`{value['expression'].replace('`', '')}` {sign} **{value['result']}**"


def _converted(focus: str, value: dict[str, Any]) -> str:
    about = "" if value["exact"] else "about "
    return f"{value['quantity']} = {about}**{_short(value)} {value['unit']}**"


def _short(value: dict[str, Any]) -> str:
    """Six digits of a rounded result are plenty to read."""
    if value["exact"] or "^" in value["result"]:
        return str(value["result"])
    return f"{float(value['result'].replace(',', '')):,.6g}"


def _counted(focus: str, value: dict[str, Any]) -> str:
    main = "characters" if focus == "character" else f"{focus}s"
    if focus == "reading time":
        return f"About **{value['reading_seconds']} seconds** to read, at 230 words a minute."
    shown = [main, *(kind for kind in ("words", "letters", "characters") if kind != main)]
    counts = [f"{value[kind]:,} {kind if value[kind] != 1 else kind[:-1]}" for kind in shown]
    return f"**{counts[0]}** ({', '.join(counts[1:])})"


def _renamed(focus: str, value: dict[str, Any]) -> str:
    return f"Done: this conversation is called “{_plainly(value['title'])}” now."


def _plainly(text: str) -> str:
    """Not as Markdown. Entities, since an escaped bracket is one of a formula."""
    return re.sub(r"[^\w\s]", lambda mark: f"&#{ord(mark[0])};", text)


SPOKEN_ERRORS = {
    "calculator": "I can't calculate that.",
    "rename_conversation": "The name stays as it is.",
}
ANSWERS: dict[str, Callable[[str, dict[str, Any]], str]] = {
    "calculator": _calculated,
    "rename_conversation": _renamed,
    "units": _converted,
    "text_statistics": _counted,
    "date_and_time": moment_answer,
}
