"""What only a language model could do, and what no tool here does: said at once, in plain words."""

from __future__ import annotations

import re

from conversations.ai.guide.small_talk import CONNECT

ABSTENTION = "I can't answer that."
LACKING_WHY = (
    "I am the Guide, not a language model: I only quote this site's [help](/help/) and your own messages, and use"
    f" exact tools. For questions like this, {CONNECT}, or ask the site's operator to."
)
LACKING = f"{ABSTENTION} {LACKING_WHY}"
DOING = (
    "I can't do that for you: a conversation's name is all that I change, and only when you allow it. This"
    " is how you do it yourself:"
)
_CREATIVE = (
    r"(?:write|compose|draft|generate|create|invent|make up|translate|paraphrase|rewrite|rephrase|proofread|explain"
    r"|describe|discuss|compare|debate|code|program|debug|fix|refactor|implement|draw|paint|sing|recommend|suggest"
    r"|advise|predict|imagine|pretend|roleplay|act as|play|brainstorm|review|critique|correct)\b.*"
    r"|tell me (?:a|an|another|some|about) .*|give me (?:a|an|some) (?:joke|story|poem|recipe|idea|tip|advice).*"
    r"|(?:help me |can you |could you |please )+(?:write|compose|draft|translate|code|debug|fix|choose|decide)\b.*"
    r"|how do (?:you|i|we) say .* in .*|(?:what is )?the meaning of .*"
    r"|what is the (?:weather|price|stock price|exchange rate|capital|population|definition) .*"
    r"|(?:is it|will it|does it) (?:going to )?(?:rain|snow|be (?:sunny|cold|hot|warm)).*"
)
CREATIVE = re.compile(_CREATIVE)
# Words of this site: a request that has one may be a question about the help.
SITE = re.compile(
    r"\b(?:conversations?|chats?|account|password|site|guide|messages?|help|model|markdown|answer)\b"
)
IMPERATIVE = re.compile(
    r"(?:please )?(?:delete|remove|erase|rename|export|share|close|stop|change|reset|log me out|sign me out|send|upload"
    r"|create|switch|turn (?:on|off)|enable|disable)\b.*"
)


def refusal(question: str) -> str | None:
    """The answer to a request for a text, an opinion or news; None where help or tools may do."""
    if CREATIVE.fullmatch(question) and not SITE.search(question):
        return LACKING
    return None


def is_command(question: str) -> bool:
    """Whether the user tells the Guide to do what it can only explain."""
    return bool(IMPERATIVE.fullmatch(question))
