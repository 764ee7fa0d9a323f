# ruff: noqa: SLF001 - Django names the state of its models and responses so
"""Django's own values that sites keep in a cache: safe strings, model instances and responses."""

from __future__ import annotations

from http.cookies import SimpleCookie
from typing import Any

from django.apps import apps
from django.db.models import Model, QuerySet
from django.db.models.query import ModelIterable
from django.http import (
    HttpResponse,
    HttpResponseBadRequest,
    HttpResponseForbidden,
    HttpResponseGone,
    HttpResponseNotAllowed,
    HttpResponseNotFound,
    HttpResponseNotModified,
    HttpResponsePermanentRedirect,
    HttpResponseRedirect,
    HttpResponseServerError,
    JsonResponse,
)
from django.template.response import SimpleTemplateResponse, TemplateResponse
from django.utils.safestring import SafeString

from performance.cache.kinds import Kind, add
from performance.cache.stored import Stored

RESPONSES = (
    HttpResponse, JsonResponse, TemplateResponse, SimpleTemplateResponse,
    HttpResponseRedirect, HttpResponsePermanentRedirect, HttpResponseNotModified,
    HttpResponseBadRequest, HttpResponseForbidden, HttpResponseGone, HttpResponseNotAllowed,
    HttpResponseNotFound, HttpResponseServerError,
)  # fmt: skip
CARRIED = ("allowed_methods",)  # attributes of single response classes


def _pack_model(instance: Model) -> list[Any]:
    deferred = instance.get_deferred_fields()
    names = [f.attname for f in instance._meta.concrete_fields if f.attname not in deferred]
    values = {name: getattr(instance, name) for name in names}
    state = instance._state
    return [instance._meta.label_lower, state.db, state.adding, values]


def _unpack_model(stored: list[Any]) -> Model:
    """Related objects that were loaded with it are not kept: reading them queries again."""
    label, db, adding, values = stored
    instance: Model = apps.get_model(label).from_db(db, list(values), list(values.values()))
    instance._state.adding = adding
    return instance


MODEL = Kind("model", _pack_model, _unpack_model)


def _pack_rows(rows: QuerySet[Any]) -> list[Any]:
    if rows._iterable_class is not ModelIterable:
        raise TypeError("the cache cannot store a QuerySet of values: pass list(queryset)")
    added = list(rows.query.annotation_select)
    found = [[instance, [getattr(instance, name) for name in added]] for instance in rows]
    return [rows.model._meta.label_lower, rows.db, added, found]


def _unpack_rows(stored: list[Any]) -> QuerySet[Any]:
    """The rows as they were stored; what is filtered further asks the database among those."""
    label, db, added, found = stored
    for instance, values in found:
        vars(instance).update(zip(added, values, strict=True))
    instances = [instance for instance, _ in found]
    manager = apps.get_model(label)._default_manager.using(db)
    rows: QuerySet[Any] = manager.filter(pk__in=[instance.pk for instance in instances])
    rows._result_cache = instances
    return rows


ROWS = Kind("rows", _pack_rows, _unpack_rows)
FAMILIES = {kind.name: kind for kind in (MODEL, ROWS)}


def family_kind(value: Any) -> Kind | None:
    """How to store what is known by its base class: any model, any QuerySet."""
    if isinstance(value, Model):
        return MODEL
    return ROWS if isinstance(value, QuerySet) else None


def _pack_response(response: Any) -> dict[str, Any]:
    if isinstance(response, SimpleTemplateResponse) and not response.is_rendered:
        raise TypeError("the cache cannot store a response that is not rendered yet")
    return {
        "status": response.status_code,
        "reason": response._reason_phrase,
        "charset": response._charset,
        "headers": list(response.headers.items()),
        "cookies": [[m.key, m.value, m.coded_value, dict(m)] for m in response.cookies.values()],
        "content": response.content,
        "carried": {n: getattr(response, n) for n in CARRIED if n in vars(response)},
    }


def _unpack_response(cls: type[HttpResponse], stored: dict[str, Any]) -> HttpResponse:
    response: Any = cls.__new__(cls)
    HttpResponse.__init__(response, status=stored["status"], reason=stored["reason"])
    response._charset = stored["charset"]
    del response.headers["Content-Type"]
    for name, value in stored["headers"]:
        response.headers[name] = value
    response.cookies = SimpleCookie()
    for key, value, coded, attributes in stored["cookies"]:
        response.cookies[key] = value
        response.cookies[key].set(key, value, coded)
        response.cookies[key].update(attributes)
    response.content = stored["content"]
    vars(response).update(stored["carried"])
    built: HttpResponse = response
    return built


def _add_response(cls: type[HttpResponse]) -> None:
    add(cls, f"http.{cls.__name__}", _pack_response, lambda stored: _unpack_response(cls, stored))


add(SafeString, "ss", str.__str__, SafeString)
add(
    Stored,
    "stored",
    lambda kept: [kept.value, kept.stored_at, kept.is_error],
    lambda stored: Stored(*stored),
)
for _response in RESPONSES:
    _add_response(_response)
