"""What tests of the client share with those of the network."""

from __future__ import annotations

from tests.net.conftest import Walk, clients, pytest_asyncio_loop_factories, serve, server, walk_in

__all__ = ["Walk", "clients", "pytest_asyncio_loop_factories", "serve", "server", "walk_in"]
