"""What an attempt at an answer took: kept with the reply, and added to the sums of conversation and user."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Self
from uuid import UUID

from conversations.ai import ChatBackend
from conversations.ai.prices import Price
from conversations.models import ConversationUsage, DailyUsage, Entry, Reply

MOST_TOKENS = 2**31 - 1  # as the columns take them: what a provider reports may be any number
MOST_COST = Decimal(10) ** 10


@dataclass(frozen=True)
class Spent:
    """Tokens read (`cached` of them out of the provider's cache) and written, and what they cost."""

    input: int = 0
    output: int = 0
    cached: int = 0
    estimated: bool = False
    cost: Decimal = Decimal(0)

    @classmethod
    def before(cls, reply: Reply) -> Self:
        """By the attempts that a reply goes on from."""
        return cls(
            reply.input_tokens or 0,
            reply.output_tokens or 0,
            reply.cached_tokens or 0,
            reply.tokens_estimated,
            reply.cost or Decimal(0),
        )

    @classmethod
    def now(cls, price: Price, read: int, written: int, cached: int, *, estimated: bool) -> Self:
        """At that price."""
        read, written = _bounded(read), _bounded(written)
        cached = min(_bounded(cached), read)
        cost = min(price.cost(read, written, cached), MOST_COST)
        return cls(read, written, cached, estimated, cost)

    def __add__(self, other: Spent) -> Spent:
        return Spent(
            min(self.input + other.input, MOST_TOKENS),
            min(self.output + other.output, MOST_TOKENS),
            min(self.cached + other.cached, MOST_TOKENS),
            self.estimated or other.estimated,
            self.cost + other.cost,
        )

    @property
    def tokens(self) -> int:
        return self.input + self.output


def _bounded(tokens: int) -> int:
    return max(0, min(tokens, MOST_TOKENS))


def fields(spent: Spent, price: Price) -> dict[str, Any]:
    """The reply's columns."""
    return {
        "input_tokens": spent.input or None,
        "output_tokens": spent.output or None,
        "cached_tokens": spent.cached or None,
        "tokens_estimated": spent.estimated,
        "cost": spent.cost,
        "currency": price.currency,
        "input_price": price.input,
        "cached_price": price.cached,
        "output_price": price.output,
    }


@dataclass(frozen=True)
class Payer:
    """Whose sums an attempt is added to."""

    user_id: int
    conversation_id: UUID
    backend: ChatBackend
    model: str


def entry(spent: Spent, *, messages: int = 0, saved: Saved | None = None) -> Entry:
    return Entry(
        messages=messages,
        input_tokens=spent.input,
        output_tokens=spent.output,
        cached_tokens=spent.cached,
        estimated=int(spent.estimated),
        cost=spent.cost,
        saved_answers=int(saved is not None),
        saved_tokens=saved.tokens if saved else 0,
        saved_cost=saved.cost if saved else Decimal(0),
    )


@dataclass(frozen=True)
class Saved:
    """What an answer out of our cache would have taken."""

    tokens: int
    cost: Decimal


def enter(payer: Payer, price: Price, made: Entry) -> None:
    """Adds to the sums, within the caller's transaction: they hold exactly what the replies say."""
    if not made:
        return
    ConversationUsage.add(payer.conversation_id, price.currency, made)
    enter_of_user(payer, price, made)


def enter_of_user(payer: Payer, price: Price, made: Entry) -> None:
    """To the user's sums alone: a conversation that is deleted has none."""
    if not made:
        return
    alias, model = payer.backend.alias[:50], payer.model[:200]
    DailyUsage.add(payer.user_id, alias, model, price.currency, made)
