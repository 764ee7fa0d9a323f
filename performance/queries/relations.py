"""From a table and a column to the words of the ORM: which relation a statement followed."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from typing import Any

from django.apps import apps
from django.core.exceptions import FieldDoesNotExist
from django.db import models

AnyModel = type[models.Model]

_AGGREGATE = re.compile(r"SELECT (?:COUNT|SUM|MAX|MIN|AVG)\(", re.IGNORECASE)
_EXISTS = re.compile(r'SELECT \? AS "a" FROM ', re.IGNORECASE)


def remedy_for_rows(sql: str, column: tuple[str, str], field: str, tables: Iterable[str]) -> str:
    """What to change where the normalised `sql` runs once for each row.

    `column` is the (table, column) whose value differs from run to run, `field` the "app.Model.name"
    that was accessed, if known, and `tables` the tables that the scope read before.
    """
    if field:
        return _access(field)
    model = model_of(column[0])
    if not column[1]:
        return "Ask for all rows at once instead of one by one."
    if model is None:
        return f"Ask for all rows at once: {column[1]} = ANY(list) instead of one value each."
    found = _field_of(model, column[1])
    if found is None:
        return f"Ask for all rows at once: filter({column[1]}__in=...)."
    if _AGGREGATE.match(sql) or _EXISTS.match(sql):
        return _annotation(model, found, exists=bool(_EXISTS.match(sql)))
    return _relation(model, found, tables)


@cache
def model_of(table: str) -> AnyModel | None:
    """The concrete model of a table; of several (unmanaged ones) the first."""
    found = (
        model
        for model in apps.get_models(include_auto_created=True)
        if model._meta.db_table == table and not model._meta.proxy  # noqa: SLF001
    )
    return next(found, None)


def _field_of(model: AnyModel, column: str) -> Any:
    fields = model._meta.local_concrete_fields  # noqa: SLF001
    return next((field for field in fields if field.column == column), None)


def _access(label: str) -> str:
    """`label` is "app.Model.field", of a descriptor that fetched something when it was read."""
    path, _, name = label.rpartition(".")
    owner = path.rpartition(".")[2]
    try:
        is_relation = apps.get_model(path)._meta.get_field(name).is_relation  # noqa: SLF001
    except (LookupError, FieldDoesNotExist):  # an accessor's name need not be that of a field
        is_relation = True
    if not is_relation:
        return f"Load {owner}.{name} with its rows: it is deferred by only() or defer()."
    return f'Add select_related("{name}") to the query of {owner}.'


def _annotation(model: AnyModel, field: Any, *, exists: bool) -> str:
    owner, name = model.__name__, field.name
    if field.is_relation and field.remote_field:
        owner = field.remote_field.model.__name__
        name = field.remote_field.get_accessor_name() or name
    what = f"Exists(...) over {name}" if exists else f'Count("{_query_name(field)}") or the like'
    return f"Annotate the query of {owner} with {what}."


def _query_name(field: Any) -> str:
    return str(field.related_query_name()) if field.is_relation else str(field.name)


def _relation(model: AnyModel, field: Any, tables: Iterable[str]) -> str:
    many = _many_to_many(model, field)
    if many is not None:
        owner, name = many
        return f'Add prefetch_related("{name}") to the query of {owner.__name__}.'
    if field.is_relation and not field.primary_key:
        return _backwards(field)
    if field.primary_key or field.unique:
        return _forwards(model, field, tables)
    generic = _generic(model, field)
    if generic:
        return f"Add prefetch_related through a GenericRelation to {model.__name__}.{generic}."
    return f"Ask for all {model.__name__} rows at once: filter({field.name}__in=...)."


def _backwards(field: Any) -> str:
    """Rows that point to the one at hand."""
    related = field.remote_field
    accessor = related.get_accessor_name()
    if accessor is None:
        return f"Ask for all {field.model.__name__} rows at once: filter({field.name}__in=...)."
    how = "select_related" if field.one_to_one else "prefetch_related"
    return f'Add {how}("{accessor}") to the query of {related.model.__name__}.'


def _forwards(model: AnyModel, field: Any, tables: Iterable[str]) -> str:
    """The row that others point to: those of them count that the scope has read."""
    pointing = [
        f'select_related("{other.name}") to the query of {source.__name__}'
        for table in dict.fromkeys(tables)
        if (source := model_of(table)) is not None
        for other in source._meta.local_concrete_fields  # noqa: SLF001
        if other.related_model is model and source is not model
    ]
    if pointing and len(pointing) <= 3:
        return f"Add {' or '.join(pointing)}."
    return f"Ask for all {model.__name__} rows at once: in_bulk() or filter({field.name}__in=...)."


@cache
def _through() -> dict[Any, Any]:
    """Tables between two models: which ManyToManyField each is of."""
    return {
        field.remote_field.through: field
        for model in apps.get_models(include_auto_created=True)
        for field in model._meta.local_many_to_many  # noqa: SLF001
    }


def _many_to_many(model: AnyModel, field: Any) -> tuple[AnyModel, str] | None:
    many = _through().get(model)
    if many is None or not field.is_relation:
        return None
    if field.name == many.m2m_field_name():
        return many.model, many.name
    accessor = many.remote_field.get_accessor_name()
    return (many.remote_field.model, accessor) if accessor else None


def _generic(model: AnyModel, field: Any) -> str:
    # Known by its attribute: contenttypes may not be installed, nor be imported before the apps are.
    private = model._meta.private_fields  # noqa: SLF001
    return next((one.name for one in private if getattr(one, "fk_field", "") == field.name), "")
