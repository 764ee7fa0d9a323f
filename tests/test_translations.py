"""Every text that visitors read has its German, and the compiled catalogue is the one of the sources."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import polib
import pytest
from django.utils.translation import override

from conversations import tools, words
from tests.translation import catalogue, literals, messages, places

HOLE = re.compile(r"%\(\w+\)[sd]|\{\w+\}|%%|</?\w+[^>]*>")
DU = re.compile(r"\b(du|dich|dir|dein\w*|euch|eure\w*)\b", re.IGNORECASE)


@pytest.fixture(scope="module")
def german() -> polib.POFile:
    return catalogue.read("de")


def of(entry: polib.POEntry) -> list[tuple[str, str]]:
    """The translations of a message, each with what it translates."""
    if entry.msgid_plural:
        return [(entry.msgid_plural, text) for text in entry.msgstr_plural.values()]
    return [(entry.msgid, entry.msgstr)]


def test_the_catalogue_has_the_messages_of_the_sources(german: polib.POFile) -> None:
    found, known = messages.found(), {catalogue.message(entry) for entry in german}
    assert sorted(found - known) == [], "run python -m tests.translation"
    assert sorted(known - found) == [], "run python -m tests.translation"


def test_every_message_is_translated(german: polib.POFile) -> None:
    assert [entry.msgid for entry in german if entry.fuzzy or not entry.translated()] == []


def test_the_compiled_catalogue_is_that_of_the_source(german: polib.POFile) -> None:
    compiled = catalogue.path("de").with_suffix(".mo")
    assert compiled.read_bytes() == catalogue.compiled(german), "run python -m tests.translation"


def test_translations_have_the_same_holes_and_tags(german: polib.POFile) -> None:
    for entry in german:
        for source, text in of(entry):
            assert Counter(HOLE.findall(text)) == Counter(HOLE.findall(source)), source


def test_germans_are_addressed_the_same_everywhere(german: polib.POFile) -> None:
    assert [text for entry in german for _source, text in of(entry) if DU.search(text)] == []


@pytest.mark.parametrize("path", list(places.templates()), ids=places.name)
def test_templates_hold_no_text_of_their_own(path: Path) -> None:
    assert list(literals.in_template(path.read_text())) == []


@pytest.mark.parametrize("path", list(places.scripts()), ids=places.name)
def test_scripts_hold_no_text_of_their_own(path: Path) -> None:
    assert list(literals.in_script(path.read_text())) == []


def test_forms_and_messages_hold_no_unmarked_text() -> None:
    found = [
        (places.name(path), text)
        for path in places.python()
        if not places.name(path).startswith("conversations/models/")  # their words are the admin's
        for text in literals.in_python(path.read_text())
    ]
    assert found == []


def test_tools_have_names_for_people() -> None:
    assert sorted(words.TOOLS) == sorted(spec.name.replace("_", " ") for spec in tools.specs())


def test_scripts_get_the_words_of_the_pages_language() -> None:
    with override("de"):
        assert "Kopieren" in words.of_site()
        assert "Denkt nach" in words.of_chat()
    with override("en"):
        assert "Kopieren" not in words.of_site()


def test_what_is_not_marked_is_found() -> None:
    assert list(literals.in_template("{% if a %}<b>Nothing here</b>{% endif %}")) == [
        "Nothing here"
    ]
    assert list(literals.in_template('<a aria-label="Close" href="x y">{{ name }}</a>')) == [
        "Close"
    ]
    assert list(literals.in_script('line.textContent = "Copying failed"')) == ["Copying failed"]
    assert list(literals.in_python('ValidationError("Too long now")')) == ["Too long now"]


def test_messages_are_found_as_gettext_finds_them() -> None:
    template = """{% blocktranslate trimmed count n=n context "c" %}
        {{ n }} of 5% {% plural %} {{ n|safe }} more {% endblocktranslate %}{% translate 'a "b"' %}{{ x|default:_("y") }}"""
    assert list(messages.of_template(template)) == [
        messages.Message("%(n)s of 5%%", "%(n)s more", "c"),
        messages.Message('a "b"'),
        messages.Message("y"),
    ]
    assert list(messages.of_python("pgettext('c', 'a' 'b'); _(name)")) == [
        messages.Message("ab", context="c")
    ]
