"""The operator's pages: sign-in, organisations and their events. Rendered on the server."""
