"""Settings of the tests: the site's own, on servers of their own under .data/.

They are read before any conftest, so the addresses are settled here. Each run of pytest has its own
data directory (.data/test, or .data/test-2 where another run has that), each of its xdist workers
its own Redis database numbers, and pytest-django gives them their own PostgreSQL databases.
DATABASE_URL, CACHE_URL and QUEUE_URL from the environment are used where they are set.
"""

from __future__ import annotations

import atexit
import itertools
import os
import re
import sys
from pathlib import Path

from chatsite import embedded
from chatsite.embedded import locks
from chatsite.embedded.directories import make_data_dir

_PLACE = Path(__file__).resolve().parent.parent / ".data"
_ADDRESSES = {"CACHE_URL": embedded.cache_url, "QUEUE_URL": embedded.queue_url}


def _keep_bytecode() -> None:
    """Under .data/, where Python is told to leave none beside its sources, as in many containers.

    A run starts more than a hundred processes: compiling all modules in each takes longer than the tests.
    """
    if sys.dont_write_bytecode:
        make_data_dir(_PLACE)
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        os.environ["PYTHONPYCACHEPREFIX"] = sys.pycache_prefix = str(_PLACE / "bytecode")
        sys.dont_write_bytecode = False


def _data_dir() -> Path:
    """The first directory that no other run has; xdist's workers are told theirs."""
    if "TEST_DATA_DIR" not in os.environ:
        make_data_dir(_PLACE)
        names = itertools.chain(["test"], (f"test-{number}" for number in itertools.count(2)))
        os.environ["TEST_DATA_DIR"] = next(str(_PLACE / name) for name in names if _claim(name))
    return Path(os.environ["TEST_DATA_DIR"])


def _claim(name: str) -> bool:
    file = locks.opened(_PLACE, f"{name}.lock")
    if locks.take(file):
        atexit.register(file.close)  # which also keeps it open, and so ours, until then
        return True
    file.close()
    return False


def _worker_number() -> int:
    """0 without xdist; gw0 is 1, so that the controller and its workers never share."""
    found = re.fullmatch(r"gw(\d+)", os.environ.get("PYTEST_XDIST_WORKER", ""))
    return int(found[1]) + 1 if found else 0


_keep_bytecode()
# xdist's workers inherit the addresses, so they must be told which servers are embedded.
os.environ.setdefault("TEST_EMBEDDED", ",".join(embedded.missing_servers()))
os.environ["DATA_DIR"] = str(_data_dir())
os.environ.setdefault("SECRET_KEY", "a key for tests alone " + "x" * 40)
os.environ.setdefault("DATABASE_URL", embedded.database_url(_data_dir()))
for _key, _address in _ADDRESSES.items():
    _url = os.environ.get(_key) or _address(_data_dir())
    os.environ[_key] = re.sub(r"([?&]db=|/)\d+$", rf"\g<1>{_worker_number()}", _url)

from chatsite.settings import *  # noqa: TID251

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

# A test sends what it recorded when it says so: performance.metrics.flush().
PERFORMANCE["METRICS"]["FLUSH_SECONDS"] = 0
PERFORMANCE["ALERTS"]["WATCH"] = False
PERFORMANCE["SWITCHES"] = {"WATCH_SECONDS": 0}  # no thread of ours looks into a test's database
