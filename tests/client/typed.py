"""Programs as a type checker reads them, and nobody runs; each `ignore` is a mistake that `make check` has to find."""

from __future__ import annotations

from collections.abc import AsyncIterator

import asynchat

bot = asynchat.Client("asynchat://localhost", rooms="#lobby")


@bot.on_message
@bot.on("notice")
async def answer(message: asynchat.Incoming) -> asynchat.Sent:
    return await message.reply("yes?")


@bot.on("join")
@bot.on("lost")
def note(happening: asynchat.Happening) -> str:
    return happening.by


bot.on_direct(lambda message: message.reply(message.text))


async def talk() -> tuple[object, ...]:
    room: asynchat.ClientRoom = await bot.join("#dev")
    await room.send("hello", kind="action")
    said: list[asynchat.Incoming] = [message async for message in room.history(limit=3)]
    coming: AsyncIterator[asynchat.Incoming] = bot.messages()
    lines: list[tuple[str, ...]] = await bot.ask("WHOIS", "alice")
    return said, coming, lines


def mistaken() -> None:
    bot.on("jion")  # type: ignore[call-overload]  # it is "join"
    bot.on("message")(note)  # type: ignore[type-var]  # that is given an Incoming
    bot.on("join")(answer)  # type: ignore[type-var]  # that is given a Happening
    bot.on_message(len)  # type: ignore[type-var]  # that is given an Incoming
    bot.typing("#lobby", "busy")  # type: ignore[arg-type]  # it is active, paused or done


async def misspoken() -> None:
    await bot.send("#lobby", "hello", kind="shout")  # type: ignore[arg-type]  # it is message, action or notice
    await bot.ask(["WHOIS", "alice"])  # type: ignore[arg-type]  # its words are parameters
