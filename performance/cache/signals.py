"""What the cache tells its observers; none is sent per operation."""

from __future__ import annotations

from django.dispatch import Signal

cache_unavailable = Signal()  # server, error: a server stopped answering
cache_recovered = Signal()  # server, seconds: it answers again

# alias: of CACHES. counts: what this process counted since it last said so, as {name: int}, where
#   "<namespace>|<count>"   is one of counts.COUNTED; the namespace is "" for keys in none, and holds
#                           no "|"; `load_seconds` is in microseconds here
#   "|latency|<bucket>"     is a number of round trips to the server, "|load|<bucket>" of loads; bucket
#                           b holds durations from 2**(b/4) - 1 microseconds up to the next
# Sent about every PERFORMANCE["CACHE"]["STATS_SECONDS"] from a thread of its own, once an alias.
cache_measured = Signal()
