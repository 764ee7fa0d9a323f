"""Settings of the tests: the site's own, on servers of their own under .data/test.

They are read before any conftest, so the addresses are settled here: every xdist worker has its own
Redis database numbers (pytest-django gives it its own PostgreSQL database). DATABASE_URL, CACHE_URL
and QUEUE_URL from the environment are used where they are set.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from chatsite import embedded
from chatsite.embedded.commands import missing_servers

_DATA_DIR = Path(__file__).parent.parent / ".data" / "test"
_ADDRESSES = {"CACHE_URL": embedded.cache_url, "QUEUE_URL": embedded.queue_url}


def _worker_number() -> int:
    """0 without xdist; gw0 is 1, so that the controller and its workers never share."""
    found = re.fullmatch(r"gw(\d+)", os.environ.get("PYTEST_XDIST_WORKER", ""))
    return int(found[1]) + 1 if found else 0


# xdist's workers inherit the addresses, so they must be told which servers are embedded.
os.environ.setdefault("TEST_EMBEDDED", ",".join(missing_servers()))
os.environ["DATA_DIR"] = str(_DATA_DIR)
os.environ.setdefault("SECRET_KEY", "a key for tests alone " + "x" * 40)
os.environ.setdefault("DATABASE_URL", embedded.database_url(_DATA_DIR))
for _key, _address in _ADDRESSES.items():
    _url = os.environ.get(_key) or _address(_DATA_DIR)
    os.environ[_key] = re.sub(r"([?&]db=|/)\d+$", rf"\g<1>{_worker_number()}", _url)

from chatsite.settings import *  # noqa: TID251

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
