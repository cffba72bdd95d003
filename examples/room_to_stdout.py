"""Print a room, first the last ten lines, then what is said.

python examples/room_to_stdout.py asynchat://localhost:12345#dev
"""

import asyncio
import sys

import asynchat


def show(message: asynchat.Incoming) -> None:
    """Print a message: what a terminal would obey is shown as it is written in Python."""
    print(f"{message.at:%H:%M} <{message.by}> {message.text!r}", flush=True)


async def main(url: str) -> None:
    """Until it is interrupted."""
    async with asynchat.Client(url, name="printer") as bot:
        past = [message async for message in bot.history(bot.rooms[0], limit=10)]
        for message in past:
            show(message)
        async for message in bot.messages():
            if message not in past:  # it was said after we came, and before we asked
                show(message)


asyncio.run(main(sys.argv[1]))
