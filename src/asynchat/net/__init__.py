"""Sockets and tasks: the only place that knows of them."""
