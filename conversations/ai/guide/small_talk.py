"""What needs neither help nor tools: greetings, thanks, and questions about the Guide itself."""

from __future__ import annotations

import re

CONNECT = "[connect a language model](/help/connect-a-model/#connect-a-model)"
WHAT_I_AM = (
    "I am the **Guide**. I am not a language model and not a person: I make up no text of my own. I answer by"
    " quoting this site's [help](/help/) and your own messages, with links, and with tools whose results are exact."
)
EXAMPLES = """\
- arithmetic: `what is 17.5% of 240?`
- dates and times: `time in Tokyo`, `how many days until Christmas?`
- units: `convert 5 miles to km`
- counting: `how many words are in "to be or not to be"?`
- your own messages: `what did I say about the holiday?`, `summarise this conversation`
- its name: `rename this conversation to Summer holiday`
- this site: `how do I delete a conversation?`"""

HELLO = (
    f"Hello! I am the Guide of this site, not a language model. You can ask me for:\n\n{EXAMPLES}"
)
ABILITIES = f"I can help with:\n\n{EXAMPLES}\n\nFor everything else, somebody has to {CONNECT}."
WELCOME = "You are welcome."
BYE = "Goodbye! This conversation stays here for you."
FINE = "I am a program and have no feelings, but I am working. What would you like to know?"
WHO = f"{WHAT_I_AM}\n\nTo talk with a language model here, {CONNECT}."

GREETING = r"(?:hi|hiya|hello|hey|hey there|hi there|hello there|good (?:morning|afternoon|evening|day)|greetings|howdy|yo)"
_PATTERNS = (
    (rf"{GREETING}(?: (?:guide|there|all|everyone|bot))?", HELLO),
    (
        (
            r"(?:ok(?:ay)? )?(?:(?:many |great |cool )?(?:thanks|thank you|thx|ty|cheers)(?: you)?(?: (?:so|very) much| a lot| again| mate| buddy| man"
            r"| guide| for (?:your|the) help)*|that (?:helped|is great|was helpful)|great|perfect|nice|awesome|cool|got it|well done)"
        ),
        WELCOME,
    ),
    (r"(?:good)?bye(?: bye)?|see you(?: later)?|good night|ciao", BYE),
    (r"how are you(?: doing)?(?: today)?|how is it going|what is up", FINE),
    (
        (
            r"(?:who|what) (?:are you|is (?:this|the guide))|(?:who|what) am i (?:talking|chatting|speaking) (?:to|with)"
            r"|(?:are you|is this|is it|am i talking to) (?:an? |the )?(?:real |actual |kind of )?(?:\w+ )?(?:human|person|bot|robot|ai|a\.i|chatbot|chat gpt|chatgpt|gpt(?:-?\d)?[\w.]*|claude|gemini"
            r"|llama|llm|language model|machine|computer|program|model|somebody|someone|alive)(?: being)?"
            r"|(?:what|which) (?:kind|sort|type)? ?(?:of )?(?:ai|model|llm|bot|assistant|language model) (?:are you|is this|is it|do you use)"
            r"|what is your name|who made you|who (?:built|created|wrote) you|what model is this"
        ),
        WHO,
    ),
    (
        (
            r"what can (?:you|u|i) (?:do|ask(?: you)?|help(?: me)? with)(?: for me)?|what are you (?:able to do|good at|capable of)"
            r"|help|help me|/help|what (?:do|can) you know|what are your (?:features|abilities|capabilities|skills)"
            r"|how can you help(?: me)?|show me (?:some )?examples|menu|commands|what (?:tools|functions) do you have"
        ),
        ABILITIES,
    ),
)
PATTERNS = tuple((re.compile(pattern), answer) for pattern, answer in _PATTERNS)
NAMED = re.compile(r"^(?:guide|dear guide)[,! ]+")


def small_talk(text: str) -> str | None:
    """The answer to a message that is nothing but small talk, or None."""
    words = " ".join(text.lower().replace("\N{RIGHT SINGLE QUOTATION MARK}", "'").split())
    words = NAMED.sub("", words).strip(" ?!.,;:)")
    words = re.sub(r"\b(what|who|how|that)(?:'s|s)\b", r"\1 is", words)
    words = re.sub(r"[,!.]+ ?", " ", words).strip()
    return next((answer for pattern, answer in PATTERNS if pattern.fullmatch(words)), None)
