"""A chat inside a web application, on its port: `uvicorn web_app:app`, then `asynchat join ws://localhost:8000/chat/`.

The page knows who is in the room, since the server lives in the same program.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asynchat
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Mount, Route

chat = asynchat.Server(port=0)  # netcat and IRC clients come in by a port of its own, whichever is free


@asynccontextmanager
async def lifespan(app: Starlette) -> AsyncIterator[None]:
    """The chat is there as long as the application is."""
    async with chat:
        yield


async def where(request: Request) -> JSONResponse:
    """Say where netcat comes in."""
    return JSONResponse({"chat": chat.url})


app = Starlette(lifespan=lifespan, routes=[Route("/", where), Mount("/chat", asynchat.asgi(chat))])
