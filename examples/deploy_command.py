"""Deploy from the chat: `/deploy staging` in netcat, `/quote deploy #ops staging` in an IRC client.

The command answers at once; the work is a task of the program, which tells the room how it went. Only who runs the
room may ask for it.
"""

import asyncio

import asynchat

server = asynchat.Server(port=12345, room="#ops")
orders: asyncio.Queue[tuple[str, str]] = asyncio.Queue(maxsize=10)


@server.command("deploy", role="op", help="deploy ENV")
async def deploy(ctx: asynchat.Context, env: str) -> None:
    """Bring out what is on the main branch."""
    if env not in ("staging", "prod"):
        raise asynchat.Refused("NO_SUCH_ENV", f"there is no {env}: staging or prod")
    if orders.full():
        raise asynchat.Refused("BUSY", "ten deployments are waiting; try again later")
    orders.put_nowait((env, ctx.by))
    await ctx.reply(f"deploying to {env}")


async def work() -> None:
    """Do what was ordered, one after the other."""
    while True:
        env, by = await orders.get()
        run = await asyncio.create_subprocess_exec("echo", f"deployed to {env}", stdout=asyncio.subprocess.PIPE)
        output, _ = await run.communicate()
        await server.room("#ops").send(f"{output.decode().strip()} for {by}", by="deployer")


async def main() -> None:
    """Serve until Ctrl-C."""
    async with server, asyncio.TaskGroup() as group:
        working = group.create_task(work())
        await server.serve_forever()
        working.cancel()


if __name__ == "__main__":
    asyncio.run(main())
