"""PostgreSQL and two Valkeys from wheels, under DATA_DIR, for local use and tests."""
