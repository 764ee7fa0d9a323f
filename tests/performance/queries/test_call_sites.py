from __future__ import annotations

import pytest

from performance.queries import call_sites

PACKAGES = "/srv/lib/python3.13/site-packages"


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        (f"{PACKAGES}/performance/queries/statements.py", ""),
        (f"{PACKAGES}/performance_tools/report.py", "library"),
        (f"{PACKAGES}/django/contrib/admin/options.py", "library"),
        (f"{PACKAGES}/django/db/models/query.py", ""),
        ("/srv/shop/views.py", "ours"),
    ],
)
def test_who_asked_where_the_app_is_installed_among_the_libraries(
    path: str, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(call_sites, "_OWN", f"{PACKAGES}/performance/")
    assert call_sites._kind(compile("", path, "exec")) == kind
