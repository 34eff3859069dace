"""Object stores and signed links: bytes under keys, and addresses that serve them for a while."""
