"""What every chat backend takes and gives: frozen structs and one async generator."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Any, Literal

import msgspec

from conversations.ai import titles
from conversations.ai.prices import Price, price_of

TITLE_SOURCE = 2000  # characters of question and answer that a model is shown for a title

Role = Literal["user", "assistant", "tool"]


class ToolCall(msgspec.Struct, frozen=True, tag="tool_call"):
    """The assistant asks for a tool. `arguments` is the JSON text as the backend gave it."""

    id: str
    name: str
    arguments: str


class ToolSpec(msgspec.Struct, frozen=True):
    """A tool on offer; `parameters` is a JSON Schema object."""

    name: str
    description: str
    parameters: Mapping[str, Any]


class Passage(msgspec.Struct, frozen=True):
    """A part of a file. `page` is 0 in files without pages; lines count from `first_line`."""

    page: int
    first_line: int
    text: str


class File(msgspec.Struct, frozen=True):
    """A file that was sent with a message: its text, or as much of it as there is room for.

    `is_whole` says that the passages are all of it. `picture` is the image as base64 where the backend
    takes images. `note` says in words why there is nothing to read.
    """

    name: str
    passages: tuple[Passage, ...] = ()
    is_whole: bool = True
    media_type: str = ""
    picture: str = ""
    note: str = ""


class Turn(msgspec.Struct, frozen=True):
    """One message of the history. A turn with role "tool" answers the call `tool_call_id`."""

    role: Role
    text: str
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str = ""
    files: tuple[File, ...] = ()


class ChatRequest(msgspec.Struct, frozen=True):
    """All that a backend gets to know: no user, no conversation, no database.

    `begun` is what an answer that was interrupted says already: only what comes after it is wanted.
    `model` is one of the backend's `models`; "" is the first of them.
    """

    turns: tuple[Turn, ...]
    system: str = ""
    tools: tuple[ToolSpec, ...] = ()
    max_output_tokens: int | None = None
    begun: str = ""
    model: str = ""


class Text(msgspec.Struct, frozen=True, tag="text"):
    """The next piece of the answer's Markdown."""

    text: str


class Reasoning(msgspec.Struct, frozen=True, tag="reasoning"):
    """The next piece of what a reasoning model thinks; never stored as the answer."""

    text: str


class Usage(msgspec.Struct, frozen=True, tag="usage"):
    """Tokens of this request, as the server counted them; `cached_tokens` are part of the input."""

    input_tokens: int
    output_tokens: int
    cached_tokens: int = 0


class Finish(msgspec.Struct, frozen=True, tag="finish"):
    """The last event. `reason` is the server's word: stop, length, tool_calls, content_filter."""

    reason: str


class Waiting(msgspec.Struct, frozen=True, tag="waiting"):
    """The provider's limits hold the request up for about so many seconds; 0: its turn has come."""

    seconds: float


Event = Waiting | Text | Reasoning | ToolCall | Usage | Finish


class ChatBackend:
    """Base of the classes that CHAT_BACKENDS names.

    `label` is what users read as the author of an answer. `is_language_model` is False for
    backends whose answers are composed of quotations and tool results. `takes_system_prompt` is
    False where `ChatRequest.system` changes nothing: pages then say so to who writes one.
    `takes_images` says that it looks at the pictures of a turn's files.
    """

    label = "Assistant"
    is_language_model = True
    takes_system_prompt = True
    takes_images = False

    def __init__(self, alias: str, options: Mapping[str, Any]) -> None:
        self.alias = alias
        self.options = options

    @property
    def model(self) -> str:
        """The name of the model, stored beside each answer."""
        return str(self.options.get("model", ""))

    @property
    def price(self) -> Price:
        """Of its tokens. Raises ValueError where CHAT_PRICES or OPTIONS["prices"] is none."""
        return self.price_for(self.model)

    def price_for(self, model: str) -> Price:
        """Of the tokens of that one of its models."""
        return price_of(model, self.options)

    @property
    def models(self) -> tuple[str, ...]:
        """The models that users may choose from, the one that answers by itself first."""
        return (self.model,)

    def stream(self, request: ChatRequest) -> AsyncGenerator[Event]:
        """Yields the answer's events, `Finish` last.

        Closing the generator (or cancelling its task) closes the connection to the provider.
        Raises a subclass of `conversations.ai.exceptions.ChatBackendError`.
        """
        raise NotImplementedError

    async def title(
        self, question: str, answer: str, model: str = "", used: list[Usage] | None = None
    ) -> str:
        """A name of a few words for a conversation that begins so; "" where there is none.

        A language model is asked for one, and what it took is added to `used`; other backends take
        it out of the question.
        """
        if not self.is_language_model:
            return titles.from_question(question)
        said = [Turn("user", question[:TITLE_SOURCE]), Turn("assistant", answer[:TITLE_SOURCE])]
        turns = (*said, Turn("user", titles.REQUEST))
        async with aclosing(
            self.stream(ChatRequest(turns, max_output_tokens=32, model=model))
        ) as events:
            said_by_it = [event async for event in events if isinstance(event, Text | Usage)]
        if used is not None:
            used += [event for event in said_by_it if isinstance(event, Usage)]
        pieces = (event.text for event in said_by_it if isinstance(event, Text))
        return titles.cleaned("".join(pieces))

    def prepare(self) -> None:
        """Loads what the first answer would otherwise wait for; a worker calls it when it starts."""

    @property
    def limits(self) -> tuple[int, int]:
        """Requests and tokens that its provider takes in a minute; 0 is as much as comes."""
        return 0, 0

    def seen(self) -> dict[str, str]:
        """What the workers last saw of its server, for staff; {} where there is none."""
        return {}

    async def probe(self) -> str:
        """Asks its server for a sign of life: "" where there is one or no server is needed, else why not."""
        return ""

    def check(self) -> list[Any]:
        """System check messages about the options."""
        return []
