from __future__ import annotations


class MetricsUnavailable(Exception):
    """Live data was asked for, and the server that has it does not answer."""
