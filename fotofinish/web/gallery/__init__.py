"""The participant's gallery at `/e/<event slug>`: no account, a phone, a bad network."""
