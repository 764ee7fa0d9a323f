"""Alert rules over metrics: evaluated every few seconds, told to people, acknowledged by staff.

evaluate()   one evaluation of all rules, by whoever comes first
deliver()    sends the messages that wait
prepare()    loads what the first of them takes
"""

from __future__ import annotations

from performance.alerts.delivery import deliver, prepare
from performance.alerts.evaluation import Report, evaluate, seconds_since
from performance.alerts.measuring import Sample

__all__ = ["Report", "Sample", "deliver", "evaluate", "prepare", "seconds_since"]
