#!/usr/bin/env python
"""Django's command line; commands that need the embedded servers start them, see chatsite/embedded/."""

from __future__ import annotations

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chatsite.settings")
    from django.core.management import execute_from_command_line

    from chatsite import embedded, timeouts

    timeouts.begin(timeouts.role_of(sys.argv))
    with embedded.servers_for(sys.argv):
        execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
