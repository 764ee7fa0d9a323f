"""What a message of the export says, as Markdown. Kinds of content that nobody knows yet stay readable."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import msgspec

from conversations.chatgpt.shapes import ExportedMessage

LONGEST = 200_000  # characters of one message, as of an answer that is written here
KNOWN_KEYS = {"content_type", "language", "response_format_name"}
_LANGUAGE = re.compile(r"[\w+#-]{1,20}")


def text(message: ExportedMessage) -> tuple[str, str]:
    """(what it says, the kind of what could not be taken along or "")."""
    content = message.content
    kind = str(content.get("content_type", ""))
    said, lacking = READERS.get(kind, _unknown)(content)
    return _storable(said), lacking


def _storable(said: str) -> str:
    """PostgreSQL stores no NUL."""
    return said.replace("\0", "\ufffd").strip()[:LONGEST]


def _parts(content: dict[str, Any]) -> tuple[str, str]:
    """Text, and things beside it: pictures and sounds are files that lie outside of conversations.json."""
    said, lacking = [], ""
    parts = content.get("parts")
    for part in parts if isinstance(parts, list) else []:
        if isinstance(part, str):
            said.append(part)
        elif isinstance(part, dict):
            words, missing = _part(part)
            said.append(words)
            lacking = lacking or missing
    return "\n\n".join(filter(None, said)), lacking


def _part(part: dict[str, Any]) -> tuple[str, str]:
    kind = str(part.get("content_type", "part"))
    if isinstance(part.get("text"), str):
        return part["text"], ""
    if "asset_pointer" in part or "audio_asset_pointer" in part:
        return f"*({kind.replace('_', ' ')}: not in the export's text)*", kind
    return _unknown(part)


def _code(content: dict[str, Any]) -> tuple[str, str]:
    language = str(content.get("language") or "")
    named = language if _LANGUAGE.fullmatch(language) and language != "unknown" else ""
    return fenced(_string(content, "text"), named), ""


def _output(content: dict[str, Any]) -> tuple[str, str]:
    return fenced(_string(content, "text")), ""


def _quote(content: dict[str, Any]) -> tuple[str, str]:
    source = _string(content, "title") or _string(content, "domain")
    link = _string(content, "url")
    head = f"[{source or link}]({link})" if link.startswith(("http://", "https://")) else source
    quoted = "\n".join(f"> {line}" for line in _string(content, "text").splitlines())
    return "\n\n".join(filter(None, (head, quoted))), ""


def _browsing(content: dict[str, Any]) -> tuple[str, str]:
    found = _string(content, "result") or _string(content, "summary")
    return fenced(found) if found else "", ""


def _thoughts(content: dict[str, Any]) -> tuple[str, str]:
    thoughts = content.get("thoughts")
    said = [
        "\n\n".join(filter(None, (_string(one, "summary"), _string(one, "content"))))
        for one in (thoughts if isinstance(thoughts, list) else [])
        if isinstance(one, dict)
    ]
    lines = "\n\n".join(said).splitlines()
    return "\n".join(f"> {line}".rstrip() for line in lines), ""


def _recap(content: dict[str, Any]) -> tuple[str, str]:
    recap = _string(content, "content")
    return f"*{recap}*" if recap else "", ""


def _error(content: dict[str, Any]) -> tuple[str, str]:
    return "\n\n".join(filter(None, (_string(content, "name"), _string(content, "text")))), ""


def _context(content: dict[str, Any]) -> tuple[str, str]:
    """What a user told of themselves, in every conversation anew: settings, not something said."""
    return "", "user_editable_context"


def _unknown(content: dict[str, Any]) -> tuple[str, str]:
    """Its text where it has one; else all of it, as it stands."""
    for key in ("text", "result", "content", "summary"):
        if said := _string(content, key):
            return said, ""
    if "parts" in content:
        return _parts(content)
    rest = {key: value for key, value in content.items() if key not in KNOWN_KEYS and value}
    if not rest:
        return "", ""
    return fenced(msgspec.json.format(msgspec.json.encode(rest), indent=2).decode(), "json"), ""


def _string(content: dict[str, Any], key: str) -> str:
    value = content.get(key)
    return value if isinstance(value, str) else ""


def fenced(said: str, language: str = "") -> str:
    """A block of code with a fence longer than any in it."""
    if not said.strip():
        return ""
    longest = max((len(run) for run in re.findall(r"`{3,}", said)), default=2)
    fence = "`" * (longest + 1)
    return f"{fence}{language}\n{said.rstrip()}\n{fence}"


READERS: dict[str, Callable[[dict[str, Any]], tuple[str, str]]] = {
    "text": _parts,
    "multimodal_text": _parts,
    "code": _code,
    "execution_output": _output,
    "tether_quote": _quote,
    "tether_browsing_display": _browsing,
    "thoughts": _thoughts,
    "reasoning_recap": _recap,
    "system_error": _error,
    "user_editable_context": _context,
    "model_editable_context": _context,
}
