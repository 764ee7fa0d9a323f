"""What can be wrong with a file, each with the sentence that its user reads."""

from __future__ import annotations

from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

PROBLEMS = {
    "empty": _("The file is empty."),
    "binary": _("This is no text, PDF or image that can be read here."),
    "archive": _(
        "This is an archive or an office document. Save it as PDF, text or CSV and attach that."
    ),
    "program": _("This is a program, which cannot be read here."),
    "damaged": _("The file is damaged, or is not what it begins as."),
    "encrypted": _("The PDF is protected by a password. Save it without one and attach that."),
    "no_text": _(
        "The PDF holds pictures of pages and no text. Run text recognition over it first."
    ),
    "too_slow": _("Reading the file took too long, so it was given up."),
    "too_complex": _("Reading the file needs more memory than is allowed."),
    "too_many_pixels": _("The image has too many pixels. Make it smaller and attach that."),
    "infected": _("The site's scanner found something harmful in the file, so it was removed."),
    "scanner": _(
        "The site's scanner did not answer, so the file was not read. Attach it again later."
    ),
    "lost": _("The file was lost while it was kept. Attach it again."),
    "internal": _("Something went wrong on this site while the file was read. Attach it again."),
    "gone": _("A file of this message was removed meanwhile. Attach it again, or send without it."),
}


class Refused(Exception):
    """A file that is not taken. `words` are for its user."""

    def __init__(self, code: str, words: str = "") -> None:
        super().__init__(code)
        self.code = code
        self.words = words or explanation(code)


def explanation(code: str) -> str:
    return str(PROBLEMS.get(code, PROBLEMS["internal"]))


def too_large(most: int) -> Refused:
    words = gettext("The file is larger than %(most)s MB, which is the most that one may have.")
    return Refused("too_large", words % {"most": most})


def no_room(most: int) -> Refused:
    words = gettext(
        "Your files together would have more than %(most)s MB. Delete conversations with files that you no longer need."
    )
    return Refused("no_room", words % {"most": most})


def too_many(most: int) -> Refused:
    words = ngettext(
        "%(most)s file can be sent with one message.",
        "%(most)s files can be sent with one message.",
        most,
    )
    return Refused("too_many", words % {"most": most})
