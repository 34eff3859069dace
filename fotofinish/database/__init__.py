"""PostgreSQL: the embedded server, connections, and migrations. Knows no feature's tables."""
