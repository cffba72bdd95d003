"""A bot that echoes what is said in its room, each line once: kill it as often as you like.

python examples/echo_bot.py asynchat://localhost:12345 echo.cur
"""

import sys

import asynchat

url, cursor = sys.argv[1:3]
bot = asynchat.Client(url, name="echo", cursor=cursor, wait_s=30)


@bot.on_message
async def echo(message: asynchat.Incoming) -> None:
    """Say it again. The reply has a key that follows from the message, so it is stored once."""
    await message.reply(message.text)


bot.run()
