from __future__ import annotations

import uuid

import pytest
from django.http import QueryDict

from conversations.forms import DAMAGED, ENCODING, NUL, MessageForm, RenameForm
from conversations.models import TEXT_LENGTH

KEY = uuid.UUID("00000000-0000-4000-8000-000000000001")


def message(text: str, key: object = KEY, **options: bool) -> MessageForm:
    return MessageForm({"text": text, "key": str(key)}, **options)


def test_line_breaks_of_forms_become_plain_ones_before_the_limit_counts() -> None:
    form = message("ab\r\n" * (TEXT_LENGTH // 3))
    assert form.is_valid()
    text = ("ab\n" * (TEXT_LENGTH // 3)).rstrip()
    assert form.cleaned_data == {"text": text, "key": KEY, "attached": []}


def test_leading_spaces_stay_for_the_sake_of_code() -> None:
    form = message("    indented\n")
    assert form.is_valid()
    assert form.cleaned_data["text"] == "    indented"


@pytest.mark.parametrize("text", ["", "  \r\n\t "])
def test_an_empty_text_is_refused(text: str) -> None:
    assert message(text).problems == ["Write a message first."]


def test_files_alone_are_a_message() -> None:
    data = QueryDict(mutable=True)
    data.update({"text": " \n", "key": str(KEY), "attached": str(KEY)})
    form = MessageForm(data)
    assert form.is_valid()
    assert form.cleaned_data == {"text": "", "key": KEY, "attached": [KEY]}


def test_a_long_text_is_refused_with_both_numbers() -> None:
    (problem,) = message("x" * (TEXT_LENGTH + 1)).problems
    assert "32001 characters; 32000 are allowed" in problem


def test_nul_is_refused_and_the_rest_of_the_text_kept() -> None:
    form = message("one\0two")
    assert form.problems == [NUL]
    assert form.typed_text == "onetwo"


def test_what_is_not_utf8_is_refused() -> None:
    assert message("caf\ufffd", valid_utf8=False).problems == [ENCODING]


def test_a_damaged_key_is_named() -> None:
    assert message("Hello", key="nonsense").problems == [DAMAGED]


def test_a_form_without_a_key_gets_one() -> None:
    forms = [MessageForm({"text": "Hello"}) for _ in range(2)]
    assert all(form.is_valid() for form in forms)
    assert forms[0].cleaned_data["key"] != forms[1].cleaned_data["key"]


@pytest.mark.parametrize("title", ["", "   ", "x" * 121, "a\0b"])
def test_a_name_that_cannot_be_is_refused(title: str) -> None:
    assert not RenameForm({"title": title}).is_valid()
