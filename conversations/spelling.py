"""Words as they were probably meant: the most alike ones in what the user and the assistant wrote.

Nothing but the user's own messages is compared, so a suggestion tells nothing of other people's.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from django.db import connection

if TYPE_CHECKING:
    from django.contrib.auth.models import User

# Messages whose words are compared. Counting these words is nearly all of the time, some 40 us a message on
# one core, and words come again.
NEWEST = 500
ALIKE = 0.3  # pg_trgm's own threshold
CHOICES = 3  # for each word

# ts_stat counts the words of stored vectors without their text; its argument is SQL, so %s is a number.
_CHOICES = """
WITH own AS MATERIALIZED (SELECT word FROM ts_stat(format(
    'SELECT document FROM conversations_searchentry WHERE user_id = %%s ORDER BY created_at DESC, message_id DESC LIMIT %%s',
    %(user)s::bigint, %(newest)s::int)))
SELECT wanted, choice FROM unnest(tsvector_to_array(to_tsvector('english', %(words)s))) wanted
LEFT JOIN LATERAL (
    SELECT word AS choice FROM own WHERE similarity(word, wanted) >= %(alike)s
    ORDER BY similarity(word, wanted) DESC, word LIMIT %(choices)s
) nearest ON true
"""


def choices(user: User, words: str) -> dict[str, list[str]]:
    """For each word its likeliest ones, as PostgreSQL's English stems; empty where all are stop words."""
    parameters: dict[str, str | int | float] = {
        "user": user.pk,
        "newest": NEWEST,
        "words": words,
        "alike": ALIKE,
        "choices": CHOICES,
    }
    found: dict[str, list[str]] = defaultdict(list)
    with connection.cursor() as cursor:
        cursor.execute(_CHOICES, parameters)
        for wanted, choice in cursor.fetchall():
            found[wanted] += [choice] if choice else []
    return dict(found)
