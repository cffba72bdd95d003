"""Nobody says a secret here by mistake; and who says most is counted.

A hook that is asked before each message may refuse it, or have something else said instead. A hook that is told
afterwards holds up nobody.
"""

import asyncio
from collections import Counter

import asynchat

SECRETS = ("BEGIN PRIVATE KEY", "AKIA", "password=")

server = asynchat.Server(port=12345, store="chat.db")
lines: Counter[str] = Counter()


@server.on("message")
async def keep_secrets(message: asynchat.Message) -> None:
    """Refuse what looks like a secret."""
    if any(secret in message.text for secret in SECRETS):
        raise asynchat.Refused("NO_SECRETS", "that looks like a secret; nobody has seen it")


@server.after("message")
async def count(message: asynchat.Message) -> None:
    """Count who says how much."""
    lines[message.by] += 1


@server.command("top")
async def top(ctx: asynchat.Context) -> None:
    """Who says most."""
    await ctx.reply("\n".join(f"{name} {number}" for name, number in lines.most_common(3)))


async def main() -> None:
    """Serve until Ctrl-C."""
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
