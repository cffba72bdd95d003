"""Bytes to hub verbs and events to bytes. Sans-IO: no sockets, no tasks, no clock."""
