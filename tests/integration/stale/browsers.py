"""A browser that keeps what it may keep, beside one that keeps nothing."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from typing import Any

from django.test import Client

# What is each answer's own: tokens, the forms' keys, and after which event a page follows.
OWN = re.compile(r'((?:name="(?:csrfmiddlewaretoken|key)"[^>]*? value=)|data-after=)"[^"]*"')
KEPT = {200}
LINES = 20  # of a difference


@dataclass(frozen=True)
class Page:
    """An address; `part` asks for it as the page's scripts do."""

    url: str
    part: bool = False

    @property
    def headers(self) -> dict[str, str]:
        return {"HX-Request": "true"} if self.part else {}


@dataclass(frozen=True)
class Shown:
    """What a person sees: `place` is where a redirect leads."""

    status: int
    text: str
    place: str = ""

    @classmethod
    def of(cls, response: Any) -> Shown:
        text = OWN.sub(r"\1", response.content.decode())
        return cls(response.status_code, text, response.get("Location", ""))

    def unlike(self, other: Shown) -> str:
        """What has to change for this to be the other, "" where nothing has."""
        if self == other:
            return ""
        lines = difflib.unified_diff(
            self.text.splitlines(), other.text.splitlines(), "seen", "right", n=0, lineterm=""
        )
        heads = f"{self.status} {self.place}", f"{other.status} {other.place}"
        return "\n".join([" -> ".join(heads), *list(lines)[:LINES]])


class Browser:
    """Asks again with the ETag of what it has, and shows that where the answer is 304."""

    def __init__(self, *, keeps: bool) -> None:
        self.client = Client()
        self._keeps = keeps
        self._kept: dict[Page, tuple[str, Shown]] = {}

    def see(self, page: Page, address: str = "127.0.0.1") -> Shown:
        tag, had = self._kept.get(page, ("", None))
        headers = page.headers | ({"If-None-Match": tag} if tag else {})
        response: Any = self.client.get(page.url, headers=headers, REMOTE_ADDR=address)
        if response.status_code == 304 and had is not None:
            return had
        shown = Shown.of(response)
        if self._keeps and response.status_code in KEPT and response.has_header("ETag"):
            self._kept[page] = response["ETag"], shown
        return shown
