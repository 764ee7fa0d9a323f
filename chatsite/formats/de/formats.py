"""German: as Django's own, but short enough for a line under a message."""

from __future__ import annotations

DATE_FORMAT = "j. N Y"
DATETIME_FORMAT = "j. N Y, H:i"
