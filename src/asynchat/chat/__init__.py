"""The domain: rooms, users, events and the hub. No sockets, no bytes, no protocol's words."""
