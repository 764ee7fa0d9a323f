"""Django's PostgreSQL backend, which notices that the server is away (ENGINE "chatsite.postgresql")."""
