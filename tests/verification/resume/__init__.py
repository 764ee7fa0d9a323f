"""Whether every device shows the same text in the end, whatever happens on the way.

python -m tests.verification.resume [--runs 500] [--seed 0] [--abreast 20]

A run is a message sent through HTTP and its answer, watched by two devices or three, which do with the events
what the page's scripts do. By its seed connections drop and come back with their last event's id, pages are
loaded anew, a device comes late, one reads slowly, the same form is sent twice, somebody presses "stop".
Runs go abreast in rounds; two of three rounds lose a web process, a worker, the queue's Valkey, or two of
these, by kill -9, and have them back after half a second. The site is two web processes behind the shipped nginx
(asked directly where nginx is not installed), two workers, PostgreSQL, and a Valkey for the queue that keeps its
log on disk; the model is a server of its own that tells a known text slowly.

In the end the stored text is what was told (or its beginning, where it was stopped), there is one question and
one answer, every device and a page opened then show just that, and no event came twice over one connection's
life. What events alone had brought to a device when they said "done" is that text too; after a restart of the
queue it may be shorter, since the page then fetches the rest.

A failure prints the run's seed and timeline. `--seed` with the first seed of its round, and the same `--abreast`,
plays that round again.
"""
