"""What a file is, whatever it is called."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.attachments import Refused, kinds
from conversations.models import NAME_LENGTH, Kind
from tests.conversations.attachments import files


@pytest.mark.parametrize(
    ("data", "name", "kind", "media_type"),
    [
        (files.pdf([["a"]]), "holiday.png", Kind.PDF, "application/pdf"),
        (files.picture(), "notes.txt", Kind.IMAGE, "image/png"),
        (files.picture("JPEG"), "x.pdf", Kind.IMAGE, "image/jpeg"),
        (files.picture("GIF"), "x", Kind.IMAGE, "image/gif"),
        (files.picture("WEBP"), "x", Kind.IMAGE, "image/webp"),
        (b"plain", "x.exe", Kind.TEXT, "text/plain"),
        (b"# Title", "READ ME.MD", Kind.MARKDOWN, "text/plain"),
        (b"a,b\n=1+1,2", "table.csv", Kind.CSV, "text/plain"),
        (b"<svg onload=alert(1)>", "x.svg", Kind.TEXT, "text/plain"),
        (b"<!doctype html><script>1</script>", "x.html", Kind.TEXT, "text/plain"),
        ("grün".encode("utf-16"), "x.txt", Kind.TEXT, "text/plain"),
        ("grün".encode("latin-1"), "x.txt", Kind.TEXT, "text/plain"),
        (b"GIF is a kind of picture", "x.txt", Kind.TEXT, "text/plain"),
        (b"MZ is how programs begin", "x.txt", Kind.TEXT, "text/plain"),
    ],
)
def test_content_says_what_it_is(data: bytes, name: str, kind: Kind, media_type: str) -> None:
    assert kinds.detect(io.BytesIO(data), name) == (kind, media_type)


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"", "empty"),
        (b" \n\t ", "empty"),
        (b"text\0with NUL", "binary"),
        (bytes(range(256)), "binary"),
        (files.archive(), "archive"),
        (b"MZ\x90\0\x03", "program"),
        (b"\x7fELF\x02\x01\x01\0", "program"),
        (b"\xff\xfe\x00", "binary"),  # half a character of UTF-16
    ],
)
def test_what_cannot_be_read_is_refused(data: bytes, problem: str) -> None:
    with pytest.raises(Refused) as refused:
        kinds.detect(io.BytesIO(data), "innocent.txt")
    assert refused.value.code == problem
    assert refused.value.words


@pytest.mark.parametrize(
    ("given_name", "name"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\me\\report.pdf", "report.pdf"),
        ("photo\u202egnp.exe", "photognp.exe"),
        ("a\0b\n c.txt", "ab c.txt"),
        (".htaccess", "htaccess"),
        ("...", "file"),
        ("", "file"),
        ('a"b<c>[d].txt', "a'b(c)(d).txt"),
        ("x" * 300 + ".csv", "x" * (NAME_LENGTH - 14) + ".csv"),
    ],
)
def test_names_say_only_what_they_are(given_name: str, name: str) -> None:
    assert kinds.clean_name(given_name) == name


@given(st.text(max_size=400))
def test_any_name_becomes_a_safe_one(name: str) -> None:
    clean = kinds.clean_name(name)
    assert 0 < len(clean) <= NAME_LENGTH - 10
    assert not set(clean) & set('/\\\0\n[]<>"\u202e')
    assert kinds.clean_name(clean) == clean


def test_two_of_one_name_are_told_apart() -> None:
    assert kinds.numbered("a.txt", {"a.txt", "a (2).txt"}) == "a (3).txt"
    assert kinds.numbered("a.txt", set()) == "a.txt"
