"""Rules of the caches, each of which can be broken on purpose: then somebody must see it.

A rule is broken by a function that is given a MonkeyPatch. Beside it stand the acts after which what is
kept is wrong, all of Alice's unless they say whose.
"""

from __future__ import annotations

from functools import cache
from types import SimpleNamespace
from typing import Any

from chatsite import visitors
from conversations import edition, reading, receivers, validators
from performance.cache import conversations
from performance.cache.conversations import ConversationCache

Patch = Any


def _nothing(*_args: Any, **_kwargs: Any) -> None:
    """Does nothing in place of what should be done."""


async def _nothing_later(*_args: Any) -> None:
    """As `_nothing`, to be awaited."""


def what_is_written_is_forgotten(patch: Patch) -> None:
    patch.setattr(ConversationCache, "forget", _nothing)
    patch.setattr(ConversationCache, "aforget", _nothing_later)


def the_conversation_goes_before_the_list(patch: Patch) -> None:
    spaces: Any = conversations._Change.spaces
    patch.setattr(conversations._Change, "spaces", property(lambda one: spaces.fget(one)[::-1]))


def what_is_kept_is_its_owners(patch: Patch) -> None:
    space = conversations._space
    patch.setattr(conversations, "_space", lambda _user, conversation: space(0, conversation))


def a_page_is_named_for_its_reader(patch: Patch) -> None:
    patch.setattr(validators, "_reader", lambda request: [request.user.pk])


def a_user_who_is_saved_is_read_anew(patch: Patch) -> None:
    patch.setattr(visitors, "cache", SimpleNamespace(delete=_nothing))


def a_session_is_of_the_password_that_holds(patch: Patch) -> None:
    patch.setattr(visitors.Visitor, "may_be_believed", lambda *_: True)


def pages_are_of_a_language_and_a_zone(patch: Patch) -> None:
    patch.setattr(edition, "get_language", lambda: "")
    patch.setattr(edition, "get_current_timezone_name", lambda: "")


def pages_are_of_what_is_offered(patch: Patch) -> None:
    patch.setattr(edition.offers, "digest", cache(str))


def pages_are_of_a_release(patch: Patch) -> None:
    patch.setattr(edition, "release", cache(str))


def what_moves_by_itself_is_not_kept(patch: Patch) -> None:
    patch.setattr(reading.MessagePage, "is_settled", True)


def a_file_that_is_deleted_is_forgotten(patch: Patch) -> None:
    patch.setattr(receivers, "forget_conversation", _nothing)


# What makes somebody see it: Alice's acts, of which the last is done while the rule is broken. Another's
# stand with a name; after an act stands its number, or how it is done.
BROKEN: dict[Any, list[str]] = {
    what_is_written_is_forgotten: [
        *["begin answer rename", "begin", "begin answer send", "begin answer", "begin answer pin"],
        *["begin answer archive", "begin answer tag", "begin answer rate", "begin answer edit"],
        *["begin answer edit answer show_another_version", "begin claim", "begin claim write_on"],
        *["begin claim wait_for_the_provider.1", "begin claim end", "begin answer ask_anew"],
        *[
            "begin claim stop",
            "begin claim hand_back",
            "begin claim fail",
            "begin claim write_on fail go_on",
        ],
        *["begin answer set_up", "begin_with_a_tool_that_asks answer"],
        *["begin_with_a_tool_that_asks answer decide", "begin answer bring_back", "begin delete"],
        *[
            "begin answer send_a_file begin_to_read_a_file",
            "begin answer send_a_file end_reading_a_file",
        ],
    ],
    the_conversation_goes_before_the_list: ["begin answer pin.watched"],
    what_is_kept_is_its_owners: ["begin"],
    a_page_is_named_for_its_reader: ["choose_colours", "be_called_otherwise.1"],
    a_user_who_is_saved_is_read_anew: ["choose_colours.1", "be_called_otherwise.2"],
    a_session_is_of_the_password_that_holds: ["change_the_password"],
    pages_are_of_a_language_and_a_zone: [
        "begin answer choose_a_language",
        "begin answer choose_a_time_zone",
    ],
    pages_are_of_what_is_offered: ["offer_other_models.1"],
    pages_are_of_a_release: ["edit_a_template", "deploy", "deploy_static_files"],
    what_moves_by_itself_is_not_kept: ["begin.bob begin stop.bob"],
    a_file_that_is_deleted_is_forgotten: [
        "begin answer send_a_file end_reading_a_file answer have_staff_delete_something"
    ],
}
