"""Settings of a site's processes, for a test that cannot wait as long as people do."""

from __future__ import annotations

import os

from chatsite.settings import *  # noqa: TID251

PERFORMANCE = {
    **PERFORMANCE,
    "SWITCHES": {"WATCH_SECONDS": float(os.environ["TEST_WATCH_SECONDS"])},
}
