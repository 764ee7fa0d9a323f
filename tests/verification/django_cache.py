"""Django's own cache tests, run against our backends: `python -m tests.verification.django_cache`.

They come with the source of the Django that is installed, which pip fetches (the wheel has no
tests). Every backend runs them on one server and on a cluster of three, through its sync and through
its async methods. What fails is listed; what fails on purpose is in DEVIATIONS with its reason. The
exit status is 1 where anything else fails.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import django

from tests.performance.cache.conftest import cluster_url, start_cluster
from tests.servers import ThrowAwayValkey

ROOT = Path(__file__).resolve().parents[2]
PIP = "download --quiet --disable-pip-version-check --no-deps --no-binary django --require-hashes"
BY_REFERENCE = "a function or class would be stored as the name of code to import: refused"
PRIVATE = "looks into a private dict of LocMemCache"
DEVIATIONS = {
    "OurCacheTests.test_data_types [key=function]": BY_REFERENCE,
    "OurCacheTests.test_data_types [key=class]": BY_REFERENCE,
    "DefaultNonExpiringCacheKeyTests.test_caches_set_with_timeout_as_none_set_non_expiring_key": (
        PRIVATE
    ),
    "DefaultNonExpiringCacheKeyTests.test_caches_with_unset_timeout_set_expiring_key": PRIVATE,
}


def fetch(directory: Path) -> Path:
    """The `tests` of the installed Django's source, which must have the hash of our lock file."""
    version = django.get_version()
    locked = re.search(
        rf"^django=={re.escape(version)} .*?(?=^\S)",
        (ROOT / "requirements/dev.txt").read_text(),
        re.MULTILINE | re.DOTALL,
    )
    if locked is None:
        raise SystemExit(f"requirements/dev.txt does not lock Django {version}")
    wanted = directory / "django.txt"
    wanted.write_text(locked[0])
    python = getattr(sys, "_base_executable", sys.executable)  # a virtual environment has no pip
    subprocess.run(
        [python, "-m", "pip", *PIP.split(), "-d", str(directory), "-r", str(wanted)],
        check=True,
    )
    [archive] = directory.glob("*.tar.gz")
    with tarfile.open(archive) as files:
        files.extractall(directory, filter="data")
    return directory / archive.name.removesuffix(".tar.gz") / "tests"


def runs(stack: ExitStack, directory: Path) -> Iterator[tuple[str, list[str]]]:
    """(title, arguments of the suite) of every run."""
    server = stack.enter_context(ThrowAwayValkey(directory))
    places = {"one server": server.url, "cluster": cluster_url(start_cluster(stack, directory))}
    for place, location in places.items():
        for cls in ("RedisCache", "TieredCache"):
            for mode in ((), ("--async",)):
                title = f"{cls}, {place}, {'async' if mode else 'sync'}"
                yield title, [cls, location, *mode]


def run(tests: Path, arguments: list[str]) -> dict[str, str]:
    done = subprocess.run(
        [sys.executable, "-m", "tests.verification.django_cache_suite", str(tests), *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    try:
        found: dict[str, str] = json.loads(done.stdout.splitlines()[-1])
    except (IndexError, ValueError):
        raise SystemExit(done.stderr) from None
    return found


def report(title: str, found: dict[str, str]) -> int:
    """Print one run; how many failures nothing explains."""
    failed = {name: why for name, why in found.items() if why}
    broken = {re.sub(r" \[.*", "", name) for name in failed}
    tests = {name for name in found if " [" not in name}
    print(f"{title}: {len(tests - broken)} of {len(tests)} pass")  # noqa: T201
    for name, why in failed.items():
        print(f"    {name}: {DEVIATIONS.get(name) or f'UNEXPLAINED {why}'}")  # noqa: T201
    return len(failed.keys() - DEVIATIONS.keys())


def main() -> None:
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        tests = fetch(directory)
        unexplained = sum(
            report(title, run(tests, arguments)) for title, arguments in runs(stack, directory)
        )
    raise SystemExit(1 if unexplained else 0)


if __name__ == "__main__":
    main()
