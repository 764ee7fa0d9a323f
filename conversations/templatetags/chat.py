"""Filters of the chat's templates."""

from __future__ import annotations

import json
import re
from contextlib import suppress

from django import template
from django.utils import formats
from django.utils.translation import gettext

from conversations import words as words_of_scripts
from conversations.money import money

register = template.Library()
register.simple_tag(words_of_scripts.of_site, name="site_words")
register.filter(money)
register.simple_tag(words_of_scripts.of_chat, name="chat_words")

# Controls, marks of direction and of no width: they would let a text look like another one.
UNSEEN = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]"
)


@register.filter
def words(name: str) -> str:
    """A name of code as people read it: date_and_time is "date and time", in their language."""
    return gettext(name.replace("_", " "))


@register.filter
def pretty_json(text: str) -> str:
    """JSON set out over lines; anything else as it is. What nobody can see is written as its number."""
    with suppress(ValueError):
        text = json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    return UNSEEN.sub(lambda mark: f"\\u{ord(mark[0]):04x}", text)


@register.filter
def duration(milliseconds: int) -> str:
    """12 ms, 3.4 s or 2 min 5 s, with the decimal mark of the language."""
    if milliseconds < 1000:
        return f"{milliseconds} ms"
    if milliseconds < 60_000:
        return f"{formats.number_format(milliseconds / 1000, 1)} s"
    minutes, rest = divmod(round(milliseconds / 1000), 60)
    return f"{minutes} min {rest} s"


@register.filter
def at(numbers: dict[int, int], key: int) -> int:
    """What a dictionary has under `key`, or 0."""
    return numbers.get(key, 0) if numbers else 0
