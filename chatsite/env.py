"""Reads the environment: typed, with NAME_FILE for every secret, and no value in any error."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from difflib import get_close_matches
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

TRUE: Final = frozenset({"1", "true", "yes", "on"})
FALSE: Final = frozenset({"0", "false", "no", "off"})

_DECIMAL: Final = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9})?")
_HOST: Final = re.compile(r"\.?[a-z0-9_-]+(\.[a-z0-9_-]+)*|\[[0-9a-f:.]+\]|\*", re.IGNORECASE)
_ORIGIN: Final = re.compile(r"https?://(\*\.)?[^\s/?#*@]+", re.IGNORECASE)

_names: set[str] = set()


def text(name: str, default: str = "") -> str:
    """The value of `name`, stripped; `default` where it is unset or empty."""
    _names.add(name)
    return os.environ.get(name, "").strip() or default


def secret(name: str, default: str = "") -> str:
    """Like `text`, or the contents of the file that `name`_FILE points to.

    Raises ImproperlyConfigured when both are set or the file cannot be read.
    """
    path = text(f"{name}_FILE")
    value = text(name)
    if not path:
        return value or default
    if value:
        raise ImproperlyConfigured(f"{name} and {name}_FILE are both set; keep one of them.")
    try:
        return Path(path).read_text(encoding="utf-8").strip() or default
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not UTF-8 text"
        raise ImproperlyConfigured(
            f"{name}_FILE names a file that cannot be read: {reason}."
        ) from None


def flag(name: str, *, default: bool) -> bool:
    """A yes or no. Raises ImproperlyConfigured on any other word."""
    value = text(name).lower()
    if not value:
        return default
    if value not in TRUE | FALSE:
        raise ImproperlyConfigured(f"{name} must be one of {', '.join(sorted(TRUE | FALSE))}.")
    return value in TRUE


def choice(name: str, default: str, known: Iterable[str]) -> str:
    """One of `known`, in any case; "" only where that is the default. Raises ImproperlyConfigured otherwise."""
    value = text(name).lower() or default
    if value != default and value not in (choices := list(known)):
        raise ImproperlyConfigured(f"{name} must be one of {', '.join(choices)}.")
    return value


def number(name: str, default: int, *, least: int = 0, most: int = 2**31) -> int:
    """A whole number from `least` to `most`. Raises ImproperlyConfigured otherwise."""
    value = text(name)
    if not value:
        return default
    if not value.isascii() or not value.isdigit() or not least <= int(value) <= most:
        raise ImproperlyConfigured(f"{name} must be a whole number from {least} to {most}.")
    return int(value)


def ratio(name: str, *, default: float) -> float:
    """A share from 0 to 1. Raises ImproperlyConfigured otherwise."""
    value = text(name)
    if not value:
        return default
    if not re.fullmatch(r"0|1|[01]?\.[0-9]{1,9}", value) or not 0 <= float(value) <= 1:
        raise ImproperlyConfigured(f"{name} must be a number from 0 to 1, such as 0.1.")
    return float(value)


def words(name: str) -> list[str]:
    """A comma-separated list; empty where `name` is unset."""
    return [word.strip() for word in text(name).split(",") if word.strip()]


def hosts(name: str) -> list[str]:
    """A comma-separated list of host names. Raises ImproperlyConfigured where one is none."""
    found = words(name)
    if not all(_HOST.fullmatch(host) for host in found):
        raise ImproperlyConfigured(
            f"{name} must be host names with commas between, without scheme, port or path: "
            "chat.example.org, or .example.org with all below it."
        )
    return found


def origins(name: str) -> list[str]:
    """A comma-separated list of origins. Raises ImproperlyConfigured where one is none."""
    found = words(name)
    if not all(_ORIGIN.fullmatch(origin) for origin in found):
        raise ImproperlyConfigured(
            f"{name} must be origins with commas between, such as https://chat.example.org."
        )
    return found


def address(name: str, default: str = "") -> str:
    """A URL of http or https. Raises ImproperlyConfigured for anything else."""
    value = text(name, default)
    try:
        parts = urlsplit(value)
        is_one = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_one = False
    if value and not is_one:
        raise ImproperlyConfigured(f"{name} must be an address: http:// or https:// and a host.")
    return value


def command(name: str) -> tuple[str, ...]:
    """A command line, as a shell would split it. Raises ImproperlyConfigured where it cannot be split."""
    try:
        return tuple(shlex.split(text(name)))
    except ValueError:
        raise ImproperlyConfigured(f"{name} has a quotation mark that is not closed.") from None


def prices(name: str) -> list[Decimal]:
    """Two or three comma-separated numbers of 0 or more; none where `name` is unset.

    Raises ImproperlyConfigured otherwise.
    """
    return _prices(name, text(name)) if text(name) else []


def price_list(name: str) -> dict[str, list[Decimal]]:
    """Prices of several models: `gpt-x=2.5,10,1.25; gpt-y=0.15,0.6`.

    Raises ImproperlyConfigured for anything else.
    """
    found = {}
    for entry in filter(None, (part.strip() for part in text(name).split(";"))):
        model, _, numbers = entry.rpartition("=")
        if not model.strip():
            raise ImproperlyConfigured(
                f"{name} must be entries such as model=0.15,0.6 with ; between."
            )
        found[model.strip()] = _prices(name, numbers)
    return found


def _prices(name: str, value: str) -> list[Decimal]:
    given = [word.strip() for word in value.split(",")]
    if len(given) not in {2, 3} or not all(_DECIMAL.fullmatch(word) for word in given):
        raise ImproperlyConfigured(
            f"{name} must be two or three numbers with commas between: read, written, cached."
        )
    return [Decimal(word) for word in given]


def currency(name: str, default: str) -> str:
    """Three letters, as ISO 4217 has them. Raises ImproperlyConfigured otherwise."""
    value = text(name, default).upper()
    if not re.fullmatch("[A-Z]{3}", value):
        raise ImproperlyConfigured(f"{name} must be the three letters of a currency, such as EUR.")
    return value


def misspelt() -> Iterator[tuple[str, str]]:
    """Pairs (found, meant): variables that are set, unknown, and one slip away from a known name.

    Only known names that are themselves unset count, so DATABASE_URL2 beside DATABASE_URL passes.
    """
    missing = [name for name in _names if name not in os.environ]
    for found in os.environ:
        if found not in _names:
            for meant in get_close_matches(found, missing, n=1, cutoff=0.9):
                yield found, meant


def refuse_unsafe(*, required: dict[str, object], fallbacks: Sequence[str] = ()) -> None:
    """Raises ImproperlyConfigured for a missing, misspelt or guessable setting, naming the key alone."""
    for found, meant in misspelt():
        raise ImproperlyConfigured(f"{found} is not a setting; did you mean {meant}?")
    missing = [name for name, value in required.items() if not value]
    if missing:
        raise ImproperlyConfigured(
            f"With DEBUG off these must be set: {', '.join(missing)}. See docs/settings.md."
        )
    _refuse_guessable("SECRET_KEY", str(required["SECRET_KEY"]))
    for key in fallbacks:
        _refuse_guessable("SECRET_KEY_FALLBACKS", key)
    if "*" in (required["ALLOWED_HOSTS"] or []):  # type: ignore[operator]
        raise ImproperlyConfigured("ALLOWED_HOSTS must name the hosts; * lets anyone forge links.")


def _refuse_guessable(name: str, key: str) -> None:
    """A fallback opens sessions as the key itself does."""
    if len(key) < 50 or len(set(key)) < 5 or key.startswith("django-insecure-"):
        raise ImproperlyConfigured(
            f"{name} is too easy to guess; use 50 random characters or more."
        )
