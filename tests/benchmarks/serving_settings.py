"""The site's settings with as many database connections a process as POOL says."""

from __future__ import annotations

import os

from chatsite.settings import *  # noqa: TID251

if "POOL" in os.environ:
    DATABASES["default"]["OPTIONS"]["pool"]["max_size"] = int(os.environ["POOL"])
