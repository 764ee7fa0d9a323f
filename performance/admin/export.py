"""CSV of what a list page shows: its filters, its search, its order."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import batched
from typing import Any

from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import HttpRequest, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.utils import timezone
from django.views.decorators.http import require_safe

CHUNK = 500
# What spreadsheets take for the beginning of a formula, full-width forms included.
FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠")  # noqa: RUF001


class CsvExport:
    """Mixin, before ModelAdmin: a link on the list that downloads the rows that its filters leave.

    Streams from a server-side cursor, so memory does not grow with the rows; whoever may view the
    model may download it. `csv_fields` are the columns (empty: all of the model's own but binary
    ones), `csv_rows` the most rows that one file holds; a file that was cut says so in its name.
    """

    csv_fields: Sequence[str] = ()
    csv_rows = 100_000
    change_list_template = "performance/admin/change_list.html"

    def get_urls(self) -> list[URLPattern]:
        admin: Any = self
        view = admin.admin_site.admin_view(require_safe(self.export_view))
        name = f"{admin.opts.app_label}_{admin.opts.model_name}_export"
        return [path("export/", view, name=name), *super().get_urls()]  # type: ignore[misc]

    def export_view(self, request: HttpRequest) -> HttpResponseBase:
        """The file. 403 without the permission to view; a bad filter leads back to the list."""
        admin: Any = self
        if not admin.has_view_or_change_permission(request):
            raise PermissionDenied
        try:
            changelist = admin.get_changelist_instance(request)
        except IncorrectLookupParameters:
            return redirect("../?e=1")
        columns = list(self.csv_fields) or _columns(admin.model)
        rows = changelist.queryset.values_list(*columns)[: self.csv_rows]
        cut = changelist.result_count > self.csv_rows
        return StreamingHttpResponse(
            lines(columns, rows.iterator(chunk_size=CHUNK)),
            content_type="text/csv; charset=utf-8",
            headers={
                "Content-Disposition": f'attachment; filename="{self._file_name(cut)}"',
                "Cache-Control": "no-store",
            },
        )

    def _file_name(self, cut: bool) -> str:
        admin: Any = self
        moment = timezone.now().strftime("%Y%m%d-%H%M%S")
        part = f"-first-{self.csv_rows}" if cut else ""
        return f"{admin.opts.model_name}-{moment}{part}.csv"


def _columns(model: type[models.Model]) -> list[str]:
    fields = model._meta.concrete_fields  # noqa: SLF001
    return [field.attname for field in fields if not isinstance(field, models.BinaryField)]


class _Echo:
    """A file whose write() answers what was written."""

    def write(self, text: str) -> str:
        return text


def lines(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> Iterator[str]:
    """The text of the file, in pieces of at most CHUNK rows."""
    writer: Any = csv.writer(_Echo())
    yield writer.writerow(columns)
    for chunk in batched(rows, CHUNK):
        yield "".join(writer.writerow([cell(value) for value in row]) for row in chunk)


def cell(value: Any) -> Any:
    """`value` as a spreadsheet may see it: text is never taken for a formula, numbers stay numbers."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, datetime):
        return value.isoformat()
    text = json.dumps(value, default=str) if isinstance(value, dict | list) else str(value)
    return (
        f"'{text}" if text.lstrip().startswith(FORMULA) or text[:1] in ("\t", "\r", "\n") else text
    )
