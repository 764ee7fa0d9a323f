"""The rows behind the board: which series there are, and their minutes and hours."""

from __future__ import annotations

from django.contrib import admin
from django.urls import reverse
from django.utils.html import format_html

from performance.admin.base import ReadOnlyAdmin
from performance.figures import shown, unit_of
from performance.metrics import rows
from performance.metrics.definitions import BY_NAME
from performance.models import MetricBucket, MetricSeries


@admin.register(MetricSeries)
class MetricSeriesAdmin(ReadOnlyAdmin):
    """A metric's name with its labels."""

    list_display = ["name", "shown_labels", "kind", "first_seen", "meaning", "rows", "chart"]
    list_filter = ["kind", "first_seen", "name"]
    search_fields = ["name", "labels"]
    ordering = ["name", "id"]

    @admin.display(description="labels")
    def shown_labels(self, series: MetricSeries) -> str:
        return ", ".join(f"{name}={value}" for name, value in sorted(series.labels.items()))

    @admin.display
    def meaning(self, series: MetricSeries) -> str:
        definition = BY_NAME.get(series.name)
        return definition.help if definition else ""

    @admin.display
    def rows(self, series: MetricSeries) -> str:
        address = reverse("admin:performance_metricbucket_changelist")
        return format_html('<a href="{}?series_id={}">Minutes and hours</a>', address, series.pk)

    @admin.display
    def chart(self, series: MetricSeries) -> str:
        address = reverse("admin:performance_dashboard")
        return format_html('<a href="{}?metric={}">Chart</a>', address, series.name)


@admin.register(MetricBucket)
class MetricBucketAdmin(ReadOnlyAdmin):
    """A minute or an hour of a series, its quantiles read from the histogram."""

    list_display = [
        *("series", "resolution", "start", "shown_count", "shown_mean"),
        *("shown_p50", "shown_p95", "shown_max"),
    ]
    list_filter = ["resolution", "start", "series__name"]
    search_fields = ["series__name", "series__labels"]
    list_select_related = ["series"]
    ordering = ["-start", "series_id"]
    csv_fields = [
        *("series__name", "series__labels", "resolution", "start"),
        *("count", "sum", "min", "max"),
    ]

    @admin.display(description="count", ordering="count")
    def shown_count(self, bucket: MetricBucket) -> str:
        return shown(bucket.count, "count")

    @admin.display(description="mean")
    def shown_mean(self, bucket: MetricBucket) -> str:
        if bucket.series.kind == MetricSeries.Kind.COUNTER:
            return shown(None, "count")
        return shown(rows.summary_of(bucket).mean, unit_of(bucket.series.name))

    @admin.display(description="p50")
    def shown_p50(self, bucket: MetricBucket) -> str:
        return shown(rows.summary_of(bucket).quantile(0.5), unit_of(bucket.series.name))

    @admin.display(description="p95")
    def shown_p95(self, bucket: MetricBucket) -> str:
        return shown(rows.summary_of(bucket).quantile(0.95), unit_of(bucket.series.name))

    @admin.display(description="max", ordering="max")
    def shown_max(self, bucket: MetricBucket) -> str:
        return shown(bucket.max, unit_of(bucket.series.name))
