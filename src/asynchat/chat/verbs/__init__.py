"""The verbs of the hub, by theme. A verb decides and changes nothing; see `chat.hub`."""
