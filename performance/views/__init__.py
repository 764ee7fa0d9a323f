"""Pages of this app outside the admin."""
