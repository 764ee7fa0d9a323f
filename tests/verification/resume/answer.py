"""One answer as it is written on a page (static/conversations/answer.js), without a browser."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.verification.resume.page import Article


def units(text: str) -> int:
    """Its length in JavaScript."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def cut(text: str, begin: int) -> str:
    """What is left of it from a place that JavaScript counts."""
    return text.encode("utf-16-le", "surrogatepass")[2 * begin :].decode(
        "utf-16-le", "surrogatepass"
    )


class Answer:
    """`heard` is the Markdown that events have brought since the attempt's beginning."""

    def __init__(self, article: Article) -> None:
        self.number = article.number
        self.place = article.place
        self.status = article.status
        self.attempt = article.attempt
        self.length = article.length
        self.start = article.start
        self.is_live = article.is_live
        self.blocks = article.html
        self.streaming = False
        self.heard = ""
        self._reset()

    def _reset(self) -> None:
        self.has_checkpoint = True
        self.received = self.closed = 0
        self.tail = ""

    @property
    def sight(self) -> str:
        """HTML of the finished blocks, and the text after them."""
        return f"{self.blocks} {self.tail}"

    def accepts(self, attempt: int) -> bool:
        if attempt < self.attempt or (attempt == self.attempt and not self.is_live):
            return False
        if attempt > self.attempt:
            self.attempt = attempt
            self.is_live = True
            self.status = "running"
            self._restart()
        return True

    def begin(self) -> None:
        if not self.streaming:
            self._restart()

    def _restart(self) -> None:
        self.streaming = True
        self.heard = ""
        self._reset()

    def text(self, offset: int, text: str) -> bool:
        """False where what stands before it is missing."""
        if not self.streaming and offset > 0:
            return False
        self.begin()
        if offset > self.received:
            return False
        end = offset + units(text)
        if end <= self.received:
            return True
        new = cut(text, self.received - offset)
        self.tail += new
        self.heard += new
        self.received = end
        self._drop_checkpoint()  # as the next drawing does
        return True

    def block(self, offset: int, html: str) -> bool:
        """The text up to there is final, and looks so. False where it is missing."""
        if not self.streaming or offset > self.received:
            return False
        if offset <= self.closed:
            return True
        self._drop_checkpoint()
        self.blocks += html
        self.tail = cut(self.tail, offset - self.closed)
        self.closed = offset
        return True

    def _drop_checkpoint(self) -> None:
        if self.has_checkpoint:
            self.blocks = ""
        self.has_checkpoint = False

    def shows(self, article: Article) -> bool:
        """Whether the server, which drew that, knows no more than is in sight."""
        if self.streaming:
            return article.attempt <= self.attempt and article.length <= self.received
        shown = (self.attempt, self.length, self.status)
        return shown == (article.attempt, article.length, article.status)

    def is_newer_than(self, article: Article) -> bool:
        """Whether that was drawn before what events have told since."""
        if article.attempt != self.attempt:
            return article.attempt < self.attempt
        return article.status == "running" and (self.streaming or not self.is_live)
