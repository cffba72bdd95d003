"""Post each line of standard input as an alert: `KEY TEXT`. Under a key that was posted before nothing is said again.

echo "disk-full-2026-11-20 The disk of lab is full" | python examples/alert_bot.py asynchat://localhost:12345#ops
"""

import asyncio
import sys

import asynchat


async def main(url: str) -> None:
    """Each line is stored before the next one is read."""
    async with asynchat.Client(url, name="alerts", wait_s=30) as bot:
        while line := await asyncio.to_thread(sys.stdin.readline):
            key, _, text = line.strip().partition(" ")
            if text:
                await bot.send(bot.rooms[0], text, key=key)


asyncio.run(main(sys.argv[1]))
