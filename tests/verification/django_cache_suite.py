"""Django's own cache tests over one of our backends; `tests.verification.django_cache` runs it.

    python -m tests.verification.django_cache_suite DIRECTORY CLASS LOCATION [--async]

DIRECTORY is the `tests` of Django's source. The last line is JSON: {test id: "" or its failure}.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import unittest
import warnings
from pathlib import Path
from typing import Any

OURS = f"{__spec__.name}.Ours" if __spec__ else f"{__name__}.Ours"
LOCMEM = "django.core.cache.backends.locmem.LocMemCache"
SYNC_ONLY = {"clear", "close", "get_or_set"}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("directory", type=Path)
    parser.add_argument("cls")
    parser.add_argument("location")
    parser.add_argument("--async", dest="over_async", action="store_true")
    options = parser.parse_args()
    sys.modules[OURS.rpartition(".")[0]] = sys.modules[__name__]  # it runs as __main__ too
    _configure(options.directory)
    globals()["Ours"] = _backend(options)
    module = _django_tests(options.directory)
    results = _run(_suite(module))
    print(json.dumps(results))  # noqa: T201
    sys.stdout.flush()
    os._exit(0)  # no wait for daemon threads


def _configure(directory: Path) -> None:
    import django
    from django.conf import settings

    sys.path.insert(0, str(directory))
    settings.configure(
        SECRET_KEY="for Django's tests",
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
        INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", "cache"],
        ROOT_URLCONF="urls",
        LANGUAGE_CODE="en",
        USE_TZ=False,
        TEMPLATES=[
            {
                "BACKEND": "django.template.backends.django.DjangoTemplates",
                "DIRS": [directory / "templates"],
                "APP_DIRS": True,
            }
        ],
    )
    django.setup()


def _backend(options: argparse.Namespace) -> type[Any]:
    """Our class as Django's tests name a backend: LOCATION is known, and tells caches apart."""
    from performance.cache import backends

    cls = getattr(backends, options.cls)

    class Ours(cls):  # type: ignore[misc, valid-type]
        def __init__(self, server: str, params: dict[str, Any]) -> None:
            params = {"KEY_PREFIX": f"django{server}", **params}
            ours = {"SOCKET_TIMEOUT": 5}  # of a busy machine
            super().__init__(options.location, params | {"OPTIONS": ours})

    if options.over_async:
        for name in dir(cls):
            if hasattr(cls, f"a{name}") and name not in SYNC_ONLY and not name.startswith("_"):
                setattr(Ours, name, _over_async(cls, name))
    return Ours


def _over_async(cls: type[Any], name: str) -> Any:
    from asgiref.sync import async_to_sync

    asynchronous = async_to_sync(getattr(cls, f"a{name}"))

    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        return asynchronous(self, *args, **kwargs)

    method.__name__ = name
    return method


def _django_tests(directory: Path) -> Any:
    """The module, with our backend wherever it has the one in memory."""
    import importlib

    file = directory / "cache" / "tests.py"
    file.write_text(file.read_text().replace(LOCMEM, OURS))
    return importlib.import_module("cache.tests")


def _suite(module: Any) -> unittest.TestSuite:
    from django.test import TestCase, override_settings

    caches = module.caches_setting_for_tests(
        base={"BACKEND": OURS}, exclude=module.redis_excluded_caches
    )

    @override_settings(CACHES=caches)
    class OurCacheTests(module.BaseCacheTests, TestCase):  # type: ignore[misc, name-defined]
        pass

    of_other_backends = (
        "DBCache",
        "Memcache",
        "LocMem",
        "FileBased",
        "RedisCache",
        "Dummy",
        "Create",
    )
    found = [OurCacheTests]
    for name, cls in vars(module).items():
        if not (isinstance(cls, type) and issubclass(cls, unittest.TestCase)):
            continue
        if cls.__module__ == module.__name__ and not any(w in name for w in of_other_backends):
            found.append(cls)
    load = unittest.defaultTestLoader.loadTestsFromTestCase
    return unittest.TestSuite([load(cls) for cls in dict.fromkeys(found)])


class _Result(unittest.TestResult):
    def __init__(self) -> None:
        super().__init__()
        self.found: dict[str, str] = {}

    def startTest(self, test: Any) -> None:  # noqa: N802
        super().startTest(test)
        self.found[_name(test)] = ""

    def addSkip(self, test: Any, reason: str) -> None:  # noqa: N802
        self.found.pop(_name(test), None)

    def addFailure(self, test: Any, err: Any) -> None:  # noqa: N802
        self._add(_name(test), err)

    def addError(self, test: Any, err: Any) -> None:  # noqa: N802
        self._add(_name(test), err)

    def addSubTest(self, test: Any, subtest: Any, err: Any) -> None:  # noqa: N802
        if err is not None:
            part = ", ".join(f"{key}={value}" for key, value in subtest.params.items())
            self._add(f"{_name(test)} [{part}]", err)

    def _add(self, name: str, err: Any) -> None:
        self.found[name] = f"{err[0].__name__}: {err[1]}"[:300]


def _name(test: Any) -> str:
    return f"{type(test).__name__}.{getattr(test, '_testMethodName', test)}"


def _run(suite: unittest.TestSuite) -> dict[str, str]:
    from django.test.runner import DiscoverRunner

    runner = DiscoverRunner(verbosity=0, interactive=False)
    runner.setup_test_environment()
    runner.setup_databases()
    result = _Result()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        suite.run(result)
    return result.found


if __name__ == "__main__":
    main()
