"""A chat server in three lines: `nc localhost 12345`, any IRC client, or `asynchat join`."""

import asyncio

import asynchat


async def main() -> None:
    """Serve until Ctrl-C."""
    async with asynchat.Server(port=12345) as server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
