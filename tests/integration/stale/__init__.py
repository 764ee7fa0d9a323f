"""What the test of stale pages is made of: people, what they do, and the pages that they look at."""
