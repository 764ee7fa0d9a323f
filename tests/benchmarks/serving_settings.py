"""The site's settings as its visitors have it, with as many database connections a process as POOL says."""

from __future__ import annotations

import os

from chatsite.settings import *  # noqa: TID251

if "POOL" in os.environ:
    DATABASES["default"]["OPTIONS"]["pool"]["max_size"] = int(os.environ["POOL"])

# It starts as on a developer's machine, and answers as in production: 404 is a page of the site.
DEBUG = False
