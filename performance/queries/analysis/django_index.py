"""An index as Django writes it: the line for Meta.indexes, and a migration that locks nobody out."""

from __future__ import annotations

import json
import re

from django.apps import apps
from django.db.models import Model

from performance.queries.analysis.indexes import IndexDefinition, Key

_FUNCTION = re.compile(r"(lower|upper)\(\(?\"?(\w+)\"?(?:\)?::text)?\)", re.IGNORECASE)
_JSON_TEXT = re.compile(r"\(\"?(\w+)\"? ->> '([^']*)'(?:::text)?\)")
_IS_NULL = re.compile(r"\"?(\w+)\"? IS (NOT )?NULL")
_FLAG = re.compile(r"(NOT )?\"?(\w+)\"?")
_EQUALS = re.compile(r"\"?(\w+)\"? = '((?:[^']|'')*)'(?:::[\w ]+)?")
_EQUALS_NUMBER = re.compile(r"\"?(\w+)\"? = (-?\d+)")
CLASSES = {
    "btree": "models.Index",
    "gin": "GinIndex",
    "brin": "BrinIndex",
    "hash": "HashIndex",
    "gist": "GistIndex",
}


def model_of(table: str) -> type[Model] | None:
    """The model whose rows a table holds, in the project that runs this."""
    return next((model for model in apps.get_models() if model._meta.db_table == table), None)  # noqa: SLF001


def index_line(index: IndexDefinition) -> str:
    """The index for a model's Meta.indexes; "" where Django cannot say it."""
    keys = _keys(index)
    where = _condition(index) if index.where else ""
    if keys is None or where is None or index.method not in CLASSES:
        return ""
    parts = [keys, f'name="{index.name}"']
    if index.include:
        parts.append(
            f"include=[{', '.join(map(_field, index.include, [index] * len(index.include)))}]"
        )
    if where:
        parts.append(f"condition={where}")
    if any(key.operators for key in index.keys) and keys.startswith("fields="):
        classes = ", ".join(
            f'"{key.operators or _default_class(index, key)}"' for key in index.keys
        )
        parts.append(f"opclasses=[{classes}]")
    return f"{CLASSES[index.method]}({', '.join(parts)})"


def _default_class(index: IndexDefinition, key: Key) -> str:
    model = model_of(index.table)
    kinds = {
        "AutoField": "int4_ops",
        "IntegerField": "int4_ops",
        "BigAutoField": "int8_ops",
        "BigIntegerField": "int8_ops",
    }
    if model is not None:
        for field in model._meta.concrete_fields:  # noqa: SLF001
            if field.column == key.target:
                return kinds.get(field.get_internal_type(), "text_ops")
    return "text_ops"


def _field(column: str, index: IndexDefinition, sign: str = "") -> str:
    """The field of a column, by its name in the model where there is one."""
    model = model_of(index.table)
    fields = model._meta.concrete_fields if model is not None else ()  # noqa: SLF001
    name = next((field.name for field in fields if field.column == column), column)
    return json.dumps(f"{sign}{name}", ensure_ascii=False)


def _keys(index: IndexDefinition) -> str | None:
    usual = all(key.plain and key.nulls_first in (None, key.descending) for key in index.keys)
    if usual:
        fields = [_field(key.target, index, "-" if key.descending else "") for key in index.keys]
        return f"fields=[{', '.join(fields)}]"
    written = [_expression(key, index) for key in index.keys]
    return None if None in written else ", ".join(filter(None, written))


def _expression(key: Key, index: IndexDefinition) -> str | None:
    base = _bare(key, index)
    if base is None or key.operators:
        return None
    if key.nulls_first is not None and key.nulls_first != key.descending:
        which = "nulls_first=True" if key.nulls_first else "nulls_last=True"
        base = f"F({base})" if base.startswith('"') else base
        return f"{base}.{'desc' if key.descending else 'asc'}({which})"
    if key.descending:
        base = f"F({base})" if base.startswith('"') else base
        return f"{base}.desc()"
    return base


def _bare(key: Key, index: IndexDefinition) -> str | None:
    if key.plain:
        return _field(key.target, index)
    function = _FUNCTION.fullmatch(key.target)
    if function:
        return f"{function[1].capitalize()}({_field(function[2], index)})"
    path = _JSON_TEXT.fullmatch(key.target)
    if path is None:
        return None
    key_name = json.dumps(path[2].replace("''", "'"), ensure_ascii=False)
    return f"KeyTextTransform({key_name}, {_field(path[1], index)})"


def _condition(index: IndexDefinition) -> str | None:
    if found := _IS_NULL.fullmatch(index.where):
        return f"Q({_name(found[1], index)}__isnull={not found[2]})"
    if found := _EQUALS.fullmatch(index.where):
        return f"Q({_name(found[1], index)}={found[2].replace(chr(39) * 2, chr(39))!r})"
    if found := _EQUALS_NUMBER.fullmatch(index.where):
        return f"Q({_name(found[1], index)}={found[2]})"
    if found := _FLAG.fullmatch(index.where):
        return f"Q({_name(found[2], index)}={not found[1]})"
    return None


def _name(column: str, index: IndexDefinition) -> str:
    return _field(column, index).strip('"')


MIGRATION = """\
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models{imports}


class Migration(migrations.Migration):
    atomic = False  # CREATE INDEX CONCURRENTLY runs in no transaction
    dependencies = [("{app}", "{last}")]
    operations = [
        {operation},
    ]
"""
IMPORTS = {
    "Lower(": "\nfrom django.db.models.functions import Lower",
    "Upper(": "\nfrom django.db.models.functions import Upper",
    "KeyTextTransform(": "\nfrom django.db.models.fields.json import KeyTextTransform",
    "Q(": "\nfrom django.db.models import Q",
    "F(": "\nfrom django.db.models import F",
    "GinIndex(": "\nfrom django.contrib.postgres.indexes import GinIndex",
    "BrinIndex(": "\nfrom django.contrib.postgres.indexes import BrinIndex",
    "HashIndex(": "\nfrom django.contrib.postgres.indexes import HashIndex",
}


def migration(index: IndexDefinition) -> str:
    """A migration that adds the index without locking writers out."""
    model, line = model_of(index.table), index_line(index)
    label = model._meta.app_label if model is not None else "app"  # noqa: SLF001
    if model is not None and line and not index.partitioned:
        operation = f'AddIndexConcurrently("{model._meta.model_name}", {line})'  # noqa: SLF001
    else:
        operation = f"migrations.RunSQL(\n            {index.create()!r},\n            {index.drop()!r},\n        )"
    imports = "".join(text for mark, text in IMPORTS.items() if mark in operation)
    written = MIGRATION.format(imports=imports, app=label, last=_last(label), operation=operation)
    return written if "AddIndexConcurrently(" in operation else written.split("\n", 1)[1]


def _last(app: str) -> str:
    """The newest migration of an app, as far as its files tell."""
    try:
        from importlib import import_module
        from pathlib import Path

        folder = import_module(f"{apps.get_app_config(app).name}.migrations").__path__[0]
        names = sorted(path.stem for path in Path(folder).glob("[0-9]*.py"))
    except (ImportError, LookupError):
        return "the newest migration"
    return names[-1] if names else "0001_initial"
