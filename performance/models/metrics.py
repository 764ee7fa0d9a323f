"""The history of the metrics: one row for each minute, and later each hour, of a series."""

from __future__ import annotations

from typing import Any

from django.db import models


class MetricSeries(models.Model):
    """A metric's name with its labels."""

    class Kind(models.TextChoices):
        COUNTER = "c", "Counter"
        DISTRIBUTION = "d", "Distribution"
        LEVEL = "g", "Level"

    # Made from the name and the labels, so that nobody asks the database for it.
    id = models.BigIntegerField(primary_key=True)
    name = models.CharField(max_length=63)
    kind = models.CharField(max_length=1, choices=Kind)
    labels = models.JSONField(default=dict)
    first_seen = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name_plural = "metric series"
        ordering = ["name", "id"]
        default_permissions = ("view",)
        indexes = [models.Index(fields=["name"], name="metricseries_name")]

    def __str__(self) -> str:
        labels = ", ".join(f"{name}={value}" for name, value in sorted(self.labels.items()))
        return f"{self.name}{{{labels}}}" if labels else self.name


class MetricBucketQuerySet(models.QuerySet["MetricBucket"]):
    """Questions about many buckets."""

    def minutes(self) -> MetricBucketQuerySet:
        return self.filter(resolution=MetricBucket.Resolution.MINUTE)

    def hours(self) -> MetricBucketQuerySet:
        return self.filter(resolution=MetricBucket.Resolution.HOUR)


class MetricBucket(models.Model):
    """One minute or one hour of a series.

    Of a counter `count` and `sum` are alike; `histogram` is the packed sketch of a distribution
    (performance.metrics.sketch) and empty elsewhere.
    """

    class Resolution(models.IntegerChoices):
        MINUTE = 60, "Minute"
        HOUR = 3600, "Hour"

    id = models.BigAutoField(primary_key=True)
    series = models.ForeignKey(MetricSeries, models.CASCADE, related_name="buckets", db_index=False)
    resolution = models.PositiveSmallIntegerField(choices=Resolution)
    start = models.DateTimeField()
    count = models.FloatField()
    sum = models.FloatField()
    min = models.FloatField(null=True, blank=True)
    max = models.FloatField(null=True, blank=True)
    histogram = models.BinaryField(default=b"")

    objects: Any = MetricBucketQuerySet.as_manager()

    class Meta:
        ordering = ["-start", "series_id"]
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(
                fields=["series", "resolution", "start"], name="metricbucket_once"
            )
        ]
        # The newest minute, and what is to be pruned; the constraint's index reads one series.
        indexes = [models.Index(fields=["resolution", "start"], name="metricbucket_age")]

    def __str__(self) -> str:
        return f"{self.series_id} {self.start:%Y-%m-%d %H:%M}"
