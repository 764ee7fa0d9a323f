"""Which models people may choose from: those of every backend in settings.CHAT_BACKENDS."""

from __future__ import annotations

from functools import cache
from hashlib import blake2b

import msgspec
from django.conf import settings
from django.core.signals import setting_changed
from django.dispatch import receiver

from conversations.ai import chat_backends
from conversations.ai.base import ChatBackend

OWN_WORD = ChatBackend.label  # a backend with another label wants that to be read


class Offer(msgspec.Struct, frozen=True):
    """One model of one backend. `key` stands for it in forms and rows."""

    alias: str
    model: str
    title: str
    takes_system_prompt: bool

    @property
    def key(self) -> str:
        return f"{self.alias}/{self.model}"

    @property
    def backend(self) -> ChatBackend:
        found: ChatBackend = chat_backends[self.alias]
        return found


def asked(alias: str, model: str) -> Offer | None:
    """What a row names: that model of the alias or, where it has moved, of another one. None: it is gone.

    "" is the alias's own model.
    """
    known = alias in settings.CHAT_BACKENDS
    own = _of(chat_backends[alias]) if known else []
    if not model:
        return own[0] if own else None
    return next((offer for offer in (*own, *offers()) if offer.model == model), None)


def parts(key: str) -> dict[str, str]:
    """What a reply's row keeps of that key; "" is the site's own choice, whatever it is by then."""
    alias, _, model = key.partition("/")
    return {"backend": alias or "default", "model": model}


@receiver(setting_changed)
def _forget(*, setting: str, **_kwargs: object) -> None:
    if setting == "CHAT_BACKENDS":
        offers.cache_clear()
        digest.cache_clear()


@cache
def offers() -> tuple[Offer, ...]:
    """All of them, the site's own choice first. What two aliases call the same is offered once."""
    found: dict[str, Offer] = {}
    for alias in sorted(settings.CHAT_BACKENDS, key=lambda alias: alias != "default"):
        for offer in _of(chat_backends[alias]):
            found.setdefault(offer.title, offer)
    return tuple(found.values())


def find(key: str) -> Offer | None:
    """The offer with that key; None where it is not offered, or not any more."""
    return next((offer for offer in offers() if offer.key == key), None)


def chosen(key: str) -> Offer:
    """The offer with that key, or else the site's own choice."""
    return (find(key) if key else None) or offers()[0]


def known(key: str) -> str:
    """That key where it is offered, else "": the site's own choice."""
    return key if key and find(key) else ""


@cache
def digest() -> str:
    """The same wherever the same models are offered: for what is kept of pages that list them."""
    names = "\n".join(f"{offer.key} {offer.title}" for offer in offers())
    return blake2b(names.encode(), digest_size=6).hexdigest()


def _of(backend: ChatBackend) -> list[Offer]:
    return [
        Offer(backend.alias, name, _title(backend, name), backend.takes_system_prompt)
        for name in backend.models
    ]


def _title(backend: ChatBackend, model: str) -> str:
    """The model's name, beside the backend's label or, where the backend has one only, instead of it."""
    if backend.label == OWN_WORD:
        return model or backend.label
    return backend.label if len(backend.models) == 1 else f"{backend.label}: {model}"
