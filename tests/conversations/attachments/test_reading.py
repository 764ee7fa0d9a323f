"""Files into text, by a process that is bound hand and foot."""

from __future__ import annotations

import io
import logging
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from conversations import attachments
from conversations.attachments import reading
from conversations.models import Attachment, Kind, ReadingState
from performance.cache import conversation_cache
from tests.conversations.attachments import files
from tests.conversations.attachments.files import CANARY
from tests.factories import ConversationFactory

Attach = Callable[..., Attachment]
Bounds = Callable[..., None]


def pages(attachment: Attachment) -> list[tuple[int, int, str]]:
    return list(attachment.pages.order_by("number").values_list("number", "first_line", "text"))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32", "latin-1"])
def test_text_of_any_usual_encoding(attach: Attach, encoding: str) -> None:
    read = attach("Grüße\r\nzwei\rdrei\n".encode(encoding))
    assert read.state == ReadingState.READY
    assert pages(read) == [(1, 1, "Grüße\nzwei\ndrei")]


def test_long_texts_have_parts_whose_lines_count_on(attach: Attach) -> None:
    read = attach("\n".join(f"line {number}" for number in range(1, 1001)).encode())
    assert [(number, first) for number, first, _ in pages(read)] == [(1, 1), (2, 401), (3, 801)]
    assert pages(read)[2][2].startswith("line 801\n")


def distinct(count: int) -> str:
    return " ".join(f"w{number:x}x{number * 7919:x}" for number in range(count))


def test_a_line_without_end_is_cut_into_pages(attach: Attach) -> None:
    """One page with all of its words would be more than PostgreSQL takes for search."""
    text = distinct(110_000)
    read = attach(f"first\n{text}\nlast".encode(), "data.csv")
    assert (read.state, read.is_cut) == (ReadingState.READY, False)
    found = pages(read)
    assert "".join(page for _, _, page in found) == f"first\n{text}\nlast"
    assert [first for _, first, _ in found[:3]] == [1, 2, 2]


def test_long_lines_fill_a_page_before_there_are_many(attach: Attach) -> None:
    read = attach("\n".join("x" * 4000 for _ in range(100)).encode())
    assert [first for _, first, _ in pages(read)] == [1, 25, 49, 73, 97]


def test_a_page_of_a_pdf_has_an_end(attach: Attach) -> None:
    read = attach(files.pdf([[distinct(100_000)], ["last"]]), "report.pdf")
    assert (read.state, read.is_cut) == (ReadingState.READY, True)
    assert [len(text) for _, _, text in pages(read)] == [100_000, 4]


def test_pages_of_a_pdf(attach: Attach) -> None:
    read = attach(files.pdf([["One", "two"], [], ["Three (3)"]]), "report.pdf")
    assert (read.kind, read.state, read.page_count) == (Kind.PDF, ReadingState.READY, 3)
    assert pages(read) == [(1, 1, "One\ntwo"), (2, 1, ""), (3, 1, "Three (3)")]


def test_a_thousand_pages(attach: Attach) -> None:
    read = attach(files.pdf([[f"Page {number}"] for number in range(1000)]))
    assert (read.page_count, read.is_cut) == (1000, False)
    assert pages(read)[999][2] == "Page 999"


def test_what_is_over_the_bounds_is_left_out(attach: Attach, bounds: Bounds) -> None:
    bounds(pages=2, characters=1000)
    cut = attach(files.pdf([["a"], ["b"], ["c"]]))
    assert (cut.page_count, cut.is_cut, len(pages(cut))) == (3, True, 2)
    long = attach(b"word " * 1000)
    assert long.is_cut
    assert len(pages(long)[0][2]) <= 1000


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (files.encrypted_pdf(), "encrypted"),
        (files.pdf([[], []]), "no_text"),
        (b"%PDF-1.7\nnothing of one", "damaged"),
        (b"%PDF-1.7\n" + b"<<" * 50_000, "damaged"),
        (files.picture()[:60], "damaged"),
        (b"\x89PNG\r\n\x1a\n<script>alert(1)</script>", "damaged"),
        (files.png_bomb(), "too_many_pixels"),
    ],
)
def test_what_cannot_be_read_says_why(attach: Attach, data: bytes, problem: str) -> None:
    read = attach(data)
    assert (read.state, read.problem) == (ReadingState.FAILED, problem)
    assert attachments.explanation(problem) != attachments.explanation("internal")
    assert not read.pages.exists()


def test_a_reader_out_of_memory_or_time_is_no_harm(attach: Attach, bounds: Bounds) -> None:
    bounds(memory_mb=128, pixels=400_000_000)
    assert attach(files.picture(size=(5000, 5000))).problem == "too_complex"


def test_a_reader_that_hangs_is_ended(
    attach: Attach, bounds: Bounds, monkeypatch: Any, tmp_path: Path
) -> None:
    script = tmp_path / "hangs.py"
    script.write_text("import time\ntime.sleep(60)\n")
    monkeypatch.setattr(reading, "READER", script)
    bounds(seconds=0.1)
    assert attach(b"text").problem == "too_slow"


@pytest.mark.parametrize(
    ("kind", "again"), [("PNG", "PNG"), ("GIF", "PNG"), ("JPEG", "JPEG"), ("WEBP", "JPEG")]
)
def test_pictures_are_written_anew(attach: Attach, stored: Path, kind: str, again: str) -> None:
    hidden = f"<script>{CANARY}</script>PK\x03\x04".encode()
    read = attach(files.picture(kind, extra=hidden), "holiday.jpg")
    with read.file.open() as file:
        data = file.read()
    with Image.open(io.BytesIO(data)) as image:
        assert image.format == again
        assert image.size == ((20, 40) if kind == "JPEG" else (40, 20))  # turned as the camera said
        assert not image.getexif()
    assert CANARY.encode() not in data
    assert read.size == len(data)
    assert len([path for path in stored.rglob("*") if path.is_file()]) == 1


def test_a_picture_that_is_none_is_deleted_but_a_text_is_kept(attach: Attach, stored: Path) -> None:
    broken = attach(files.picture()[:60])
    assert not broken.file
    assert not broken.can_be_downloaded
    assert not [path for path in stored.rglob("*") if path.is_file()]
    assert attach(files.encrypted_pdf()).can_be_downloaded


@pytest.mark.django_db(transaction=True)  # a file goes when the deletion of its row commits
@pytest.mark.parametrize(
    "data", [b"text", files.picture(), files.picture()[:60]], ids=["text", "picture", "damaged"]
)
def test_nothing_is_kept_of_what_was_deleted_while_it_was_read(
    attach: Attach, stored: Path, monkeypatch: Any, data: bytes
) -> None:
    waiting = attach(data, read=False)
    run = reading._run_reader

    def meanwhile(*args: Any) -> None:
        run(*args)
        Attachment.objects.get(pk=waiting.pk).delete()

    monkeypatch.setattr(reading, "_run_reader", meanwhile)
    assert attachments.read(waiting.pk) is None
    assert not [path for path in stored.rglob("*") if path.is_file()]


@pytest.mark.usefixtures("cache_redis")
@pytest.mark.django_db(transaction=True)  # one hook of a transaction forgets for all of its changes
def test_its_page_says_that_it_is_being_read(
    attach: Attach, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting = attach(b"text", read=False)
    waiting.conversation = ConversationFactory(user=waiting.user)
    waiting.save()
    owner, conversation = waiting.user_id, waiting.conversation_id
    before = conversation_cache.version(owner, conversation)
    monkeypatch.setattr(reading, "_read", lambda *_: None)
    attachments.read(waiting.pk)
    assert conversation_cache.version(owner, conversation) != before


def test_it_is_read_once(attach: Attach) -> None:
    read = attach(b"text")
    assert attachments.read(read.pk) is None


def test_a_file_that_kills_its_workers_is_given_up(attach: Attach) -> None:
    waiting = attach(b"text", read=False)
    Attachment.objects.filter(pk=waiting.pk).update(tries=reading.TRIES)
    read = attachments.read(waiting.pk)
    assert read is not None
    assert read.problem == "too_complex"


def test_a_lost_file_is_said_to_be(attach: Attach) -> None:
    waiting = attach(b"text", read=False)
    waiting.file.storage.delete(waiting.file.name)
    read = attachments.read(waiting.pk)
    assert read is not None
    assert read.problem == "lost"


@pytest.mark.parametrize(
    ("script", "problem"),
    [
        ("import sys; sys.exit(b'EICAR' in sys.stdin.buffer.read())", "infected"),
        ("import sys; sys.exit(2)", "scanner"),
    ],
)
def test_a_scanner_looks_first(attach: Attach, bounds: Bounds, script: str, problem: str) -> None:
    bounds(scanner=(sys.executable, "-c", script))
    read = attach(b"X5O!P%@AP EICAR test")
    assert read.problem == problem
    assert bool(read.file) is (problem == "scanner")
    if problem == "infected":
        assert attach(b"harmless").state == ReadingState.READY


def test_a_scanner_that_is_not_there_is_no_clean_one(attach: Attach, bounds: Bounds) -> None:
    bounds(scanner=("/nonexistent/scanner",))
    assert attach(b"text").problem == "scanner"


def test_no_word_of_a_file_is_logged(attach: Attach, caplog: Any, capfd: Any) -> None:
    caplog.set_level(logging.DEBUG)
    for data in (CANARY.encode(), files.pdf([[CANARY]]), b"%PDF-1.4 " + CANARY.encode() * 50):
        attach(data, f"{CANARY}.txt")
    out, err = capfd.readouterr()
    assert CANARY not in caplog.text + out + err
