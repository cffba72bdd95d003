"""The other end: a client that speaks IRCv3, and what people and pipes see of it."""
