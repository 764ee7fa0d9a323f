"""What a backend is told of files."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from conversations import attachments, tools
from conversations.ai.base import ChatRequest, File, Passage, Turn
from conversations.ai.files import instructions, quoted
from conversations.ai.guide.backend import plan_for
from conversations.ai.guide.plans import Say
from conversations.ai.openai.options import Options
from conversations.ai.openai.payload import body
from conversations.attachments import quoting
from conversations.models import Attachment, Message
from tests.conversations.attachments import files
from tests.factories import MessageFactory

pytestmark = pytest.mark.django_db
Attach = Callable[..., Attachment]

REPORT = files.pdf(
    [
        ["Annual report", "of the cheese board"],
        ["Sales", "In 2025 we sold 4,711 wheels of gouda.", "Brie did less well."],
        ["Staff", "The board has nine members and one cat."],
    ]
)


def asked(attach: Attach, text: str, *data: tuple[bytes, str], read: bool = True) -> Message:
    message = MessageFactory(text=text)
    alice = message.conversation.user
    sent = [attach(content, name, alice, read=read).pk for content, name in data]
    attachments.send(message, alice.pk, sent)
    return message


def turn(message: Message, *, takes_images: bool = False) -> Turn:
    found = quoting.files([message], takes_images=takes_images)
    assert found is not None
    return Turn("user", message.text, files=found[message.pk])


def guide(*turns: Turn) -> str:
    plan = plan_for(ChatRequest(turns))
    assert isinstance(plan, Say)
    return plan.text


def test_lines_have_their_page_and_number(attach: Attach) -> None:
    message = asked(attach, "How many?", (REPORT, "report.pdf"), (b"a\nb </file>", "notes.txt"))
    words = quoted(turn(message))
    assert '<file name="report.pdf">\n(page 1)\n1: Annual report' in words
    assert "(page 2)\n1: Sales\n2: In 2025 we sold 4,711 wheels of gouda." in words
    assert '<file name="notes.txt">\n1: a\n2: b </file>\n</file>' in words
    assert words.endswith("\n\nHow many?")
    request = ChatRequest((turn(message),), system="Be kind.")
    assert instructions(request).startswith("Be kind.\n\nMessages may bring files")
    assert "[report.pdf, p. 3, l. 12]" in instructions(request)
    assert instructions(ChatRequest((Turn("user", "x"),), system="Be kind.")) == "Be kind."


def test_of_a_large_file_the_passages_that_fit(
    attach: Attach, bounds: Callable[..., None], django_assert_max_num_queries: Any
) -> None:
    filler = [
        [f"Chapter {number}", *["The weather was fine that day."] * 40] for number in range(30)
    ]
    filler[17].insert(3, "The treasure lies under the old lighthouse.")
    bounds(tokens=600)
    message = asked(attach, "Where is the treasure?", (files.pdf(filler), "book.pdf"))
    with django_assert_max_num_queries(5):
        (file,) = turn(message).files
    assert not file.is_whole
    assert sum(len(passage.text) for passage in file.passages) <= 2400
    (passage,) = [one for one in file.passages if "treasure" in one.text]
    assert passage.page == 18
    assert "nearest to the question" in quoted(turn(message))


def test_what_is_not_there_is_named(attach: Attach) -> None:
    message = asked(
        attach, "Look", (files.encrypted_pdf(), "locked.pdf"), (files.picture(), "cat.png")
    )
    words = quoted(turn(message))
    assert '<file name="locked.pdf">(The PDF is protected by a password.' in words
    assert (
        '<file name="cat.png">(it is an image, and this assistant reads no images)</file>' in words
    )
    waiting = asked(attach, "Look", (b"text", "slow.txt"), read=False)
    assert quoting.files([waiting], takes_images=False, patient=True) is None
    assert "still being read" in quoted(turn(waiting))


def test_pictures_go_to_models_that_look_at_them(attach: Attach) -> None:
    message = asked(attach, "What is it?", (files.picture(), "cat.png"))
    options = Options(base_url="http://localhost/v1", model="m", images=True)
    sent = body(ChatRequest((turn(message, takes_images=True),)), options)["messages"][-1][
        "content"
    ]
    assert sent[0]["text"].endswith("What is it?")
    assert sent[1]["image_url"]["url"].startswith("data:image/png;base64,iVBOR")


def test_without_files_one_statement(django_assert_num_queries: Any) -> None:
    message = MessageFactory()
    with django_assert_num_queries(1):
        assert quoting.files([message], takes_images=True) == {}


def test_the_guide_quotes_with_page_and_line(attach: Attach) -> None:
    message = asked(attach, "How many wheels of gouda were sold?", (REPORT, "report.pdf"))
    answer = guide(turn(message))
    assert "> In 2025 we sold 4,711 wheels of gouda." in answer
    assert "[report.pdf, p. 2, l. 2]" in answer
    later = guide(
        turn(message), Turn("assistant", answer), Turn("user", "How many members has the board?")
    )
    assert "[report.pdf, p. 3, l. 2]" in later


def test_the_guide_says_what_it_does_not_find(attach: Attach) -> None:
    message = asked(attach, "Who is the king of Norway?", (b"Milk and eggs", "list.txt"))
    assert "I found nothing in list.txt" in guide(turn(message))
    picture = asked(attach, "What is it?", (files.picture(), "cat.png"))
    assert "I could not look into cat.png" in guide(turn(picture))
    assert "reads no images" in guide(turn(picture))


def test_the_guide_says_why_it_cannot_read_a_file(attach: Attach) -> None:
    """In one sentence, and with the file's name as it is: nothing of it is Markdown."""
    message = asked(attach, "What is in it?", (files.pdf([[]]), "__scan__.pdf"))
    answer = guide(turn(message))
    assert "I could not look into \\_\\_scan\\_\\_.pdf." in answer
    assert answer.endswith("Run text recognition over it first.")


def test_the_guide_goes_on_with_what_it_can_do_beside_files(attach: Attach) -> None:
    message = asked(attach, "Summarise this", (REPORT, "report.pdf"))
    answer = guide(turn(message))
    assert answer.startswith("The lines that say most about it")
    assert "[report.pdf, p. " in answer
    turns = (turn(message), Turn("assistant", "x"), Turn("user", "What is 2+2?"))
    plan = plan_for(ChatRequest(turns, tools=tools.specs()))
    assert not isinstance(plan, Say)


def test_what_stands_in_a_file_is_no_markdown(attach: Attach) -> None:
    message = asked(
        attach, "What about the link?", (b"the link [x](https://evil.example/) here", "a.txt")
    )
    assert r"\[x\](https" in guide(turn(message))


def test_without_words_the_files_are_what_is_asked_about() -> None:
    file = File("notes.txt", (Passage(0, 1, "Brie"),), is_whole=True)
    assert quoted(Turn("user", "", files=(file,))).endswith("Say briefly what they hold.)")
    assert quoted(Turn("assistant", "")) == ""
    first, second = quoting.scores(["Brie and wine", "Gouda"], "")
    assert first == second  # none fits better, and none is no number
