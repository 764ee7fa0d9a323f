"""Brings locale/ up to date and lists what is still to be translated."""

from __future__ import annotations

import sys

from tests.translation import catalogue, messages


def main() -> int:
    found = messages.found()
    missing = [
        text for language in catalogue.LANGUAGES for text in catalogue.renew(language, found)
    ]
    for text in missing:
        print(text)  # noqa: T201
    return 1 if missing else 0


sys.exit(main())
