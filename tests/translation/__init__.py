"""The site's texts and their catalogues: `python -m tests.translation` brings locale/ up to date.

It does what makemessages and compilemessages do, without GNU gettext on the machine.
"""
