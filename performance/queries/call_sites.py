"""The application's line that runs a statement: read off the stack, or off the coroutine that waits.

Walked once for a statement that repeats or is slow, some microseconds; nothing is called on the way.
"""

from __future__ import annotations

import sys
import sysconfig
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import django
import structlog
from django.conf import settings

from performance.queries import waiting_tasks

DEEPEST = 200
CARRIED = ("correlation_id", "request_id")


@dataclass(frozen=True, slots=True)
class Site:
    """A line of the application. `template` says that a template was being rendered, and `file` and
    `line` are then the template's, `function` the Python function that rendered it. `field` is the
    "app.Model.field" whose access ran the statement, if Django's descriptors were on the stack."""

    file: str
    line: int
    function: str
    template: bool = False
    field: str = ""


def here() -> Site | None:
    """The site of the statement that runs now, or None where no line of the application is seen."""
    site, field = _walk(sys._getframe(1))  # noqa: SLF001
    if site is None:
        frame = waiting_tasks.frame_of(_is_ours)
        site = _site(frame) if frame is not None else None
    return replace(site, field=field) if site is not None and field else site


def correlation_id() -> str:
    """The id that ties the log lines of this request or task together."""
    bound = structlog.contextvars.get_contextvars()
    return next((str(bound[key])[:64] for key in CARRIED if bound.get(key)), "")


def _walk(frame: FrameType | None) -> tuple[Site | None, str]:
    """The innermost line of the application or of a template, and the field that was accessed."""
    site: Site | None = None
    template: FrameType | None = None
    field = ""
    for _ in range(DEEPEST):
        if frame is None:
            break
        kind = _kind(frame.f_code)
        if kind == "ours":
            site = _site(frame)
            break
        if kind == "template" and template is None:
            template = frame
        elif kind == "field" and not field:
            field = _field(frame.f_locals)
        frame = frame.f_back
    if template is not None:
        return _in_template(template, site), field
    if site is not None and frame is not None and _renders(frame.f_back):
        site = replace(site, template=True)
    return site, field


def _renders(frame: FrameType | None) -> bool:
    """Whether a template is what called this."""
    for _ in range(DEEPEST):
        if frame is None:
            return False
        if _kind(frame.f_code) == "template":
            return True
        frame = frame.f_back
    return False


@lru_cache(maxsize=10_000)
def _kind(code: CodeType) -> str:
    """ "ours", "template" (a node being rendered), "field" (a descriptor of a model) or ""."""
    path = code.co_filename
    if path.endswith("django/template/base.py") and code.co_name == "render_annotated":
        return "template"
    if path.endswith("fields/related_descriptors.py") and code.co_name == "__get__":
        return "field"
    if path.endswith("models/query_utils.py") and code.co_name == "__get__":
        return "field"
    return "ours" if _is_ours(code) else ""


@lru_cache(maxsize=10_000)
def _is_ours(code: CodeType) -> bool:
    path = code.co_filename
    if path.startswith("<") or "/site-packages/" in path or "/dist-packages/" in path:
        return False
    return not path.startswith(_FOREIGN)


_FOREIGN = tuple(
    f"{Path(place).resolve()}/"
    for place in (
        Path(__file__).parent.parent,
        Path(django.__file__).parent,
        sysconfig.get_path("stdlib"),
    )
)


def _site(frame: FrameType) -> Site:
    code = frame.f_code
    return Site(_relative(code.co_filename), frame.f_lineno or 0, code.co_qualname)


def _in_template(frame: FrameType, site: Site | None) -> Site | None:
    node = frame.f_locals.get("self")
    token, origin = getattr(node, "token", None), getattr(node, "origin", None)
    if token is None or origin is None:
        return site
    function = site.function if site else ""
    return Site(_relative(str(origin.name)), token.lineno or 0, function, template=True)


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
