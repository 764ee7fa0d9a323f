"""The views that every contender serves."""

from __future__ import annotations

from bench.models import Item
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import include, path


def _asked(times: int) -> HttpResponse:
    names = [
        Item.objects.filter(pk=number + 1).values_list("name", flat=True)[0]
        for number in range(times)
    ]
    return HttpResponse(" ".join(names) or "hello")


def none(request: HttpRequest) -> HttpResponse:
    return _asked(0)


def five(request: HttpRequest) -> HttpResponse:
    return _asked(5)


def fifty(request: HttpRequest) -> HttpResponse:
    return _asked(50)


async def small(request: HttpRequest) -> HttpResponse:
    return HttpResponse("hello")


urlpatterns = [
    path(f"{view.__name__}/", view, name=view.__name__) for view in (none, five, fifty, small)
]
if settings.CONTENDER == "django-silk":
    urlpatterns.append(path("silk/", include("silk.urls", namespace="silk")))
