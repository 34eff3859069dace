"""HTTP: the external API, the dashboard and the gallery. Holds no rules and no queries."""
