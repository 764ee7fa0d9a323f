"""The help pages of docs/help/: for /help/, and the English ones in passages for the assistant to quote."""

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
ENGLISH = "en"  # in which every page is there; a translation names its sections' anchors in braces
QUESTIONS = re.compile(r"<!-- asked as: (.*?)-->\n*", re.DOTALL)


class HelpPassage(msgspec.Struct, frozen=True):
    """One section. `questions` are what it answers, in the words of those who ask."""

    page: str
    title: str
    anchor: str
    text: str
    questions: tuple[str, ...] = ()
    language: str = ENGLISH

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
    language: str = ENGLISH

    @property
    def url(self) -> str:
        return f"/help/{self.slug}/"


@functools.cache
def help_pages(language: str = ENGLISH) -> tuple[HelpPage, ...]:
    """All pages in the order in which a newcomer reads them; in English what that language has not."""
    return tuple(_translated(_read(slug), slug, language) for slug in ORDER)


def help_page(slug: str) -> HelpPage | None:
    return next((page for page in help_pages() if page.slug == slug), None)


def _translated(english: HelpPage, slug: str, language: str) -> HelpPage:
    """The same sections under the same anchors, so that a link leads to the same place in each language."""
    if not (FOLDER / language / f"{slug}.md").exists():
        return english
    found = _read(slug, language)
    of_anchor = {passage.anchor: passage for passage in found.passages}
    passages = tuple(of_anchor.get(passage.anchor, passage) for passage in english.passages)
    return msgspec.structs.replace(found, passages=passages)


def _read(slug: str, language: str = "") -> HelpPage:
    source = (FOLDER / language / f"{slug}.md").read_text("utf-8")
    return _page(slug, source, language or ENGLISH)


def help_passages() -> tuple[HelpPassage, ...]:
    return tuple(passage for page in help_pages() for passage in page.passages)


def _page(slug: str, source: str, language: str) -> HelpPage:
    head, *sections = re.split(r"^## ", source, flags=re.MULTILINE)
    title, _, introduction = head.removeprefix("# ").partition("\n")
    passages = tuple(_passage(slug, section, language) for section in sections)
    return HelpPage(slug, title.strip(), introduction.strip(), passages, language)


def _passage(slug: str, section: str, language: str) -> HelpPassage:
    title, _, body = section.partition("\n")
    title, _, anchor = title.strip().removesuffix("}").partition(" {")
    found = QUESTIONS.search(body)
    questions = tuple(part.strip() for part in found[1].split(" | ")) if found else ()
    text = QUESTIONS.sub("", body).strip()
    return HelpPassage(slug, title, anchor or slugify(title), text, questions, language)
