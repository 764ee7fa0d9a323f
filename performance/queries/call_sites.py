"""The application's line that runs a statement: read off the stack, or off the coroutine that waits.

Walked once for a statement that repeats or is slow, some microseconds; nothing is called on the way.
"""

from __future__ import annotations

import re
import sys
import sysconfig
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from types import CodeType, FrameType
from typing import Any, NamedTuple

import django
import structlog
from django.conf import settings

from performance.queries import waiting_tasks

DEEPEST = 200


class Site(NamedTuple):
    """A line of the application. `template` says that a template was being rendered, and `file` and
    `line` are then the template's, `function` the Python function that rendered it. `field` is the
    "app.Model.field" whose access ran the statement, if Django's descriptors were on the stack."""

    file: str
    line: int
    function: str
    template: bool = False
    field: str = ""


def here() -> Site | None:
    """The site of the statement that runs now.

    Where no line of the application is on the way, it is the line of the library that asked; None where
    there is none of these either.
    """
    walk = _Walk()
    walk.up(sys._getframe(1))  # noqa: SLF001
    return walk.site()


def key() -> Any:
    """What tells the line that runs now from others; cheaper than its site, for comparing alone."""
    frame: FrameType | None = sys._getframe(1)  # noqa: SLF001
    while frame is not None:
        code = frame.f_code
        try:
            kind = _kinds[code.co_filename, code.co_name]
        except KeyError:
            kind = _learn(code)
        if kind == "ours":
            return code.co_filename, frame.f_lineno
        if kind == "template":
            return id(frame.f_locals.get("self"))
        if kind in {"thread", "edge"}:
            return here()
        frame = frame.f_back
    return None


_kinds: dict[tuple[str, str], str] = {}
"""By file and name: to hash a code object is to hash all its instructions, a microsecond a frame."""
MOST_CODES = 5000


def _learn(code: CodeType) -> str:
    if len(_kinds) >= MOST_CODES:
        _kinds.clear()
    kind = _kinds[code.co_filename, code.co_name] = _kind(code)
    return kind


def correlation_id() -> str:
    """The id that ties the log lines of this request or task together."""
    bound = structlog.contextvars.get_contextvars()
    found = bound.get("correlation_id") or bound.get("request_id")
    return str(found)[:64] if found else ""


class _Walk:
    """One way up the stack, from the statement to where the application's part of it begins."""

    def __init__(self) -> None:
        self._ours: FrameType | None = None
        self._library: FrameType | None = None
        self._template: FrameType | None = None
        self._by_template = False  # the template called our line; else our line rendered it
        self._field = ""

    def up(self, frame: FrameType | None) -> None:
        """Goes up to the edge, past the first line of the application: a template may have called it."""
        for _ in range(DEEPEST):
            if frame is None:
                return
            code = frame.f_code
            try:
                kind = _kinds[code.co_filename, code.co_name]
            except KeyError:
                kind = _learn(code)
            if kind == "edge":
                return
            if kind == "thread":
                self._ours = self._ours or waiting_tasks.frame_of(_is_ours)
                return
            if kind and (self._ours is None or kind == "template"):
                self._meet(kind, frame)
            frame = frame.f_back

    def _meet(self, kind: str, frame: FrameType) -> None:
        if kind == "ours":
            self._ours = self._ours or frame
        elif kind == "library":
            self._library = self._library or frame
        elif kind == "template":
            if self._template is None:
                self._template, self._by_template = frame, self._ours is not None
        elif self._ours is None and not self._field:
            self._field = _field(frame.f_locals)

    def site(self) -> Site | None:
        frame = self._ours or self._library
        if frame is None:
            return None
        file, line = self._line(frame)
        name = frame.f_code.co_qualname
        return Site(file, line, name, self._template is not None, self._field)

    def _line(self, frame: FrameType) -> tuple[str, int]:
        """The template's, where it is the template that asked."""
        if self._template is not None and not self._by_template:
            node = self._template.f_locals.get("self")
            token, origin = getattr(node, "token", None), getattr(node, "origin", None)
            if token is not None and origin is not None:
                return _relative(str(origin.name)), token.lineno or 0
        return _relative(frame.f_code.co_filename), frame.f_lineno or 0


def _kind(code: CodeType) -> str:
    """What a frame of this code is to the walk; "" where it is only on the way."""
    path, name = code.co_filename, code.co_name
    for end, names, kind in _SPECIAL:
        if path.endswith(end) and name in names:
            return kind
    if _is_ours(code):
        return "ours"
    if path.startswith(_OWN):  # installed among the libraries, it is still not who asked
        return ""
    return "library" if _ASKS.search(path) and not _ON_THE_WAY.search(path) else ""


_SPECIAL = (
    ("django/template/base.py", {"render_annotated"}, "template"),
    ("fields/related_descriptors.py", {"__get__"}, "field"),
    ("models/query_utils.py", {"__get__"}, "field"),
    ("asgiref/sync.py", {"thread_handler"}, "thread"),
    # What is above these serves the application and is not part of it.
    ("core/handlers/base.py", {"_get_response", "_get_response_async"}, "edge"),
    ("core/management/base.py", {"run_from_argv"}, "edge"),
)
_ASKS = re.compile(r"/(?:site|dist)-packages/")
_ON_THE_WAY = re.compile(
    r"-packages/(?:django/(?:db|core|utils|template|views)|asgiref|psycopg\w*)/"
)


def _is_ours(code: CodeType) -> bool:
    path = code.co_filename
    if path.startswith("<") or "/site-packages/" in path or "/dist-packages/" in path:
        return False
    return not path.startswith(_FOREIGN)


_OWN = f"{Path(__file__).parent.parent}/"
_FOREIGN = tuple(
    f"{Path(place).resolve()}/"
    for place in (
        _OWN,
        Path(django.__file__).parent,
        sysconfig.get_path("stdlib"),
    )
)


def _field(names: Mapping[str, Any]) -> str:
    """The field of a descriptor's __get__, as "app_label.Model.field"."""
    if names.get("instance") is None:
        return ""
    descriptor = names.get("self")
    field = getattr(descriptor, "field", None) or getattr(descriptor, "related", None)
    model = type(names["instance"])
    if field is None or not hasattr(model, "_meta"):
        return ""
    name = field.get_accessor_name() if hasattr(field, "get_accessor_name") else field.name
    return f"{model._meta.label}.{name}"  # noqa: SLF001


@lru_cache(maxsize=2000)
def _relative(path: str) -> str:
    """The path below the project's directory, or below the longest entry of sys.path."""
    places = [str(getattr(settings, "BASE_DIR", "") or Path.cwd()), *sys.path]
    for place in sorted(filter(None, places), key=len, reverse=True):
        if path.startswith(f"{place}/"):
            return path[len(place) + 1 :]
    return path
