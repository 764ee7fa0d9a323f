"""What the file holds of each row, and what is accepted of it. Numbers of branches are those of the file.

What a worker or a visitor could still act on does not travel: an answer being written arrives as stopped,
and a permission that was not used as refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct

from conversations.models import (
    CHAT_MODEL_LENGTH,
    NAME_LENGTH,
    SYSTEM_PROMPT_LENGTH,
    TAG_LENGTH,
    TITLE_LENGTH,
)

FORMAT, VERSION = "chatsite conversations", 2

LONGEST = (
    200_000  # characters of a message, as of an answer; search takes no text of many times that
)

Moment = Annotated[datetime, Meta(tz=True)]
Number = Annotated[int, Meta(ge=0, le=2**31 - 1)]
# JSON has it as text: a number would lose its last places.
Amount = Annotated[str, Meta(pattern=r"^\d{1,11}(\.\d{1,9})?(E-\d{1,2})?$")]
Name = Annotated[str, Meta(max_length=100)]
Tag = Annotated[str, Meta(min_length=1, max_length=TAG_LENGTH)]


class ToolRunRow(Struct, kw_only=True):
    attempt: Number
    name: Name
    version: Number
    arguments: str
    result: str
    error: str
    started_at: Moment
    milliseconds: Number
    cached_at: Moment | None
    permission: Literal["", "refused", "used"]
    decided_at: Moment | None


class ReplyRow(Struct, kw_only=True):
    status: Literal["complete", "stopped", "failed"]
    attempt: Number
    backend: Annotated[str, Meta(max_length=50)]
    model: Annotated[str, Meta(max_length=200)]
    author: Name
    instead_of: Annotated[str, Meta(max_length=200)] = ""
    error: Annotated[str, Meta(max_length=50)]
    explanation: str
    input_tokens: Number | None
    output_tokens: Number | None
    cached_tokens: Number | None = None
    tokens_estimated: bool = False
    cost: Amount | None = None
    currency: Annotated[str, Meta(max_length=3)] = ""
    input_price: Amount | None = None
    cached_price: Amount | None = None
    output_price: Amount | None = None
    saved_tokens: Number | None = None
    saved_cost: Amount | None = None
    cached_at: Moment | None
    pending_since: Moment
    started_at: Moment | None
    asked_at: Moment | None
    first_event_at: Moment | None
    first_text_at: Moment | None
    published_at: Moment | None
    finished_at: Moment | None
    tool_runs: list[ToolRunRow]


class MessageRow(Struct, kw_only=True):
    branch: Number
    place: Annotated[int, Meta(ge=1, le=2**31 - 1)]
    role: Literal["user", "assistant", "tool"]
    text: Annotated[str, Meta(max_length=LONGEST)]
    created_at: Moment
    reply: ReplyRow | None = None


class BranchRow(Struct, kw_only=True):
    """`parent` is the number of an earlier branch."""

    parent: Number | None
    fork: Number
    shown_at: Moment


class AttachmentHead(Struct, kw_only=True):
    """`messages` are those that it was sent with, by their numbers in this conversation's list."""

    name: Annotated[str, Meta(min_length=1, max_length=NAME_LENGTH)]
    created_at: Moment
    messages: Annotated[list[Number], Meta(min_length=1)]


class AttachmentRow(AttachmentHead, kw_only=True):
    """`data` is base64, empty where the file was not there any more. What it is, is found out anew."""

    data: bytes


class ConversationHead(Struct, kw_only=True):
    title: Annotated[str, Meta(max_length=TITLE_LENGTH)]
    created_at: Moment
    last_message_at: Moment
    title_is_chosen: bool
    reuse_answers: bool
    pinned: bool
    archived: bool
    tags: list[Tag]
    system_prompt: Annotated[str, Meta(max_length=SYSTEM_PROMPT_LENGTH)] = ""
    chat_model: Annotated[str, Meta(max_length=CHAT_MODEL_LENGTH)] = ""


class ConversationRow(ConversationHead, kw_only=True):
    branches: list[BranchRow]
    messages: list[MessageRow]
    attachments: list[AttachmentRow] = []


class PreferencesRow(Struct, kw_only=True):
    """What the user has chosen under /settings/. Whether it can be had is asked where it is taken over."""

    system_prompt: Annotated[str, Meta(max_length=SYSTEM_PROMPT_LENGTH)] = ""
    chat_model: Annotated[str, Meta(max_length=CHAT_MODEL_LENGTH)] = ""
    keep_history: bool = True
    use_caches: bool = True
    theme: Name = ""
    language: Name = ""
    time_zone: Name = ""


class File(Struct, kw_only=True):
    format: Literal["chatsite conversations"]
    version: Literal[1, 2]  # 1 had no attachments
    preferences: PreferencesRow | None = None  # only where all conversations were exported
    conversations: list[ConversationRow]


def moments(row: Struct, where: str) -> Iterator[tuple[str, datetime]]:
    """Those of the row and of the rows in it, each with where it stands."""
    for name in row.__struct_fields__:
        value = getattr(row, name)
        if isinstance(value, datetime):
            yield f"{where}.{name}", value
        for number, one in enumerate(value if isinstance(value, list) else ()):
            if isinstance(one, Struct):
                yield from moments(one, f"{where}.{name}[{number}]")
        if isinstance(value, Struct):
            yield from moments(value, f"{where}.{name}")


def of[T: Struct](row: object, kind: type[T], **others: object) -> T:
    """The fields of a model's row that the file holds; `others` in place of its own."""
    names = kind.__struct_fields__  # structs.fields() reads the annotations anew, for each row
    values = {name: others[name] if name in others else getattr(row, name) for name in names}
    return kind(**values)
