"""Questions about times and dates, turned into arguments for `date_and_time`."""

from __future__ import annotations

import re
from collections.abc import Callable

from conversations.ai.guide.phrases import NUMBER_WORDS
from conversations.ai.guide.plans import Use, use

PLACE = r"(?P<place>[^\d?]{2,40})"
CLOCK = r"(?P<time>\d{1,2}[:.]\d{2}(?: ?[ap]\.?m\.?)?|\d{1,2} ?[ap]\.?m\.?|noon|midday|midnight)"
UNIT = r"(?P<unit>minute|hour|day|week|month|year)s?"
NUMBER = r"(?P<number>\d{1,6}|an?|one|two|three|four|five|six|seven|eight|nine|ten|twelve)"
NUMBERS = {word: number for number, word in enumerate(NUMBER_WORDS)} | {"a": 1, "an": 1}
HOLIDAY = (
    r"(?P<date>(?:the )?(?:christmas(?: eve)?|xmas|boxing day|new year'?s?(?: eve| day)?|valentine'?s?(?: day)?"
    r"|halloween|thanksgiving|easter(?: sunday| monday)?|good friday|pentecost|ascension day"
    r"|st\.? patrick'?s day|independence day|bastille day)(?: (?:in )?(?:\d{4}|(?:next|this|last) year))?)"
)
IS = r"(?:is|was|will be|will|falls?|does)"

Match = re.Match[str]


def _amount(match: Match, *, is_past: bool) -> int:
    word = match["number"]
    number = NUMBERS.get(word) or int(word)
    return -number if is_past else number


def _shift(match: Match) -> Use:
    is_past = bool(re.search(r"\b(?:ago|before today)$", match.string))
    return use(
        "date_and_time",
        operation="shift",
        amount=_amount(match, is_past=is_past),
        unit=f"{match['unit']}s",
    )


def _difference(match: Match) -> Use:
    groups = match.groupdict()
    arguments = {"operation": "difference", "to_date": groups["to"]}
    if groups.get("from"):
        arguments["date"] = groups["from"]
    return use("date_and_time", groups.get("unit") or "day", **arguments)


def _since(match: Match) -> Use:
    unit = match.groupdict().get("unit") or "day"
    return use("date_and_time", unit, operation="difference", date=match["from"], to_date="today")


def _now(match: Match) -> Use:
    place = match.groupdict().get("place")
    return use(
        "date_and_time", "time", operation="now", **({"place": place.strip()} if place else {})
    )


def _today(match: Match) -> Use:
    place = match.groupdict().get("place")
    return use(
        "date_and_time", "date", operation="now", **({"place": place.strip()} if place else {})
    )


def _convert(match: Match) -> Use:
    return use(
        "date_and_time",
        operation="convert",
        time=match["time"],
        place=match["from"].strip().removesuffix(" time"),
        to_place=match["to"].strip(),
    )


def _weekday(match: Match) -> Use:
    return use("date_and_time", operation="weekday", date=match["date"])


def _leap(match: Match) -> Use:
    return use("date_and_time", "leap", operation="weekday", date=f"{match['year']}-01-01")


_PATTERNS: tuple[tuple[str, Callable[[Match], Use]], ...] = (
    (r"(?:is|was|will) (?:the year )?(?P<year>\d{4}) (?:going to be |be )?a leap year", _leap),
    (
        (
            rf"(?:if it is |when it is |what (?:time )?is )?{CLOCK} (?:in |at )?(?P<from>[a-z .]+?),?"
            r" (?:what time (?:is it|is that|will it be) in|what is (?:it|that|the time) in|in|to) (?P<to>[a-z .]+)"
        ),
        _convert,
    ),
    (
        (
            rf"(?=how|countdown|minutes?|hours?|days?|weeks?|months?|years?)(?:how many |how long |countdown )?(?:{UNIT} )?"
            r"(?:is it |is there |are there |are left |are |is |left |to go |do (?:i|we) have |remain )*"
            r"(?:until|till|til|to|before|up to) (?:it is )?(?P<to>.+)"
        ),
        _difference,
    ),
    (
        (
            rf"(?:how many |number of |count the |what is the number of )?{UNIT} (?:are )?(?:there )?"
            r"(?:between|from) (?P<from>.+?) (?:and|to|until|till) (?P<to>.+)"
        ),
        _difference,
    ),
    (
        rf"how (?:many {UNIT}|long)(?: is it| has it been| have passed| passed)? (?:since|ago was) (?P<from>.+)",
        _since,
    ),
    (
        (
            rf"(?:what|which) (?:date|day)(?: of the week)? {IS}(?: it| that)?(?: be)?(?: in)? {NUMBER} {UNIT}"
            r"(?: from (?:now|today)| ago| before today)?"
        ),
        _shift,
    ),
    (
        rf"what {IS} the date(?: be)?(?: in)? {NUMBER} {UNIT}(?: from (?:now|today)| ago| before today)?",
        _shift,
    ),
    (rf"(?:the )?(?:date )?(?:in )?{NUMBER} {UNIT} (?:from (?:now|today)|ago)", _shift),
    (rf"what time {IS} it (?:be )?in {NUMBER} {UNIT}", _shift),
    (
        (
            r"(?:what is )?(?:the )?(?:current |local |exact )?time(?: is it)?(?: right now| now| currently)?"
            rf"(?: it is)? (?:in|at|for|over in) {PLACE}"
        ),
        _now,
    ),
    (
        rf"what time (?:is it|it is|do they have)(?: right now| now| currently)? (?:over )?(?:in|at) {PLACE}",
        _now,
    ),
    (r"(?P<place>[a-z .]{3,30}?)(?<!what) (?:local )?time(?: right)?(?: now)?", _now),
    (
        r"what time is it(?: right now| now| here)?|(?:what is )?(?:the )?(?:current |exact )?time(?: now)?",
        _now,
    ),
    (rf"what (?:is (?:the |today's )date|day is (?:it|today))(?: today| now)? in {PLACE}", _today),
    (
        (
            r"(?:what is )?(?:today's date|the (?:current )?date(?: today| of today)?|today|the day today)"
            r"|(?:what|which) (?:date|day|weekday|day of the week)(?: is)?(?: it| today| is it)(?: today)?"
            r"|(?:what|which) (?:year|month|week)(?: number| of the year)? (?:is (?:it|this)|are we in)(?: now)?"
            r"|(?:what is )?the current (?:year|month|week)|(?:date|weekday)(?: today)?"
        ),
        _today,
    ),
    (
        (
            rf"(?:what|which) (?:date|day|weekday|day of the week)(?: of the week)? {IS} (?P<date>.+?)"
            r"(?: fall(?: on)?| on| be)?"
        ),
        _weekday,
    ),
    (r"what is the (?:date|day) (?:on )?(?P<date>tomorrow|yesterday|next \w+day|\w+day)", _weekday),
    (
        rf"(?:when|what (?:day|date)|on what (?:day|date)|on which day) {IS} {HOLIDAY}(?: on| this year)?",
        _weekday,
    ),
)
PATTERNS = tuple((re.compile(pattern), build) for pattern, build in _PATTERNS)


def moment(question: str) -> Use | None:
    """The plan for a plain question about time, or None."""
    for pattern, build in PATTERNS:
        if match := pattern.fullmatch(question):
            return build(match)
    return None
