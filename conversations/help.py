"""The help pages of docs/help/: for /help/, and in passages for the assistant to quote."""

from __future__ import annotations

import functools
import re
from pathlib import Path

import msgspec
from django.utils.text import slugify

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "help"
ORDER = (
    "first-steps",
    "conversations",
    "messages",
    "account",
    "settings",
    "guide",
    "tools",
    "problems",
    "privacy",
    "accessibility",
    "connect-a-model",
    "run-the-site",
)
QUESTIONS = re.compile(r"<!-- asked as: (.*?)-->\n*", re.DOTALL)


class HelpPassage(msgspec.Struct, frozen=True):
    """One section. `questions` are what it answers, in the words of those who ask."""

    page: str
    title: str
    anchor: str
    text: str
    questions: tuple[str, ...] = ()

    @property
    def url(self) -> str:
        return f"/help/{self.page}/#{self.anchor}"

    @property
    def whole(self) -> str:
        """All of its words, for searching."""
        return "\n".join((self.title, self.text, *self.questions))


class HelpPage(msgspec.Struct, frozen=True):
    """One page. `introduction` is Markdown, as are the passages' texts."""

    slug: str
    title: str
    introduction: str
    passages: tuple[HelpPassage, ...]

    @property
    def url(self) -> str:
        return f"/help/{self.slug}/"


@functools.cache
def help_pages() -> tuple[HelpPage, ...]:
    """All pages in the order in which a newcomer reads them."""
    return tuple(_page(slug, (FOLDER / f"{slug}.md").read_text("utf-8")) for slug in ORDER)


def help_page(slug: str) -> HelpPage | None:
    return next((page for page in help_pages() if page.slug == slug), None)


def help_passages() -> tuple[HelpPassage, ...]:
    return tuple(passage for page in help_pages() for passage in page.passages)


def _page(slug: str, source: str) -> HelpPage:
    head, *sections = re.split(r"^## ", source, flags=re.MULTILINE)
    title, _, introduction = head.removeprefix("# ").partition("\n")
    passages = tuple(_passage(slug, section) for section in sections)
    return HelpPage(slug, title.strip(), introduction.strip(), passages)


def _passage(slug: str, section: str) -> HelpPassage:
    title, _, body = section.partition("\n")
    found = QUESTIONS.search(body)
    questions = tuple(part.strip() for part in found[1].split(" | ")) if found else ()
    text = QUESTIONS.sub("", body).strip()
    return HelpPassage(slug, title.strip(), slugify(title), text, questions)
