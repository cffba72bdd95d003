"""The keeper of a room: logged in, always a member, its operator; changes the room and waits for each change."""

from __future__ import annotations

import base64
from random import Random

from tests.crash.speaker import CAPABILITIES, Gone, Message, Speaker, Unexpected
from tests.crash.transcript import Transcript
from tests.crash.verdict import RoomState, judge_state

NAME, PASSWORD, ROOM = "keeper", "keeps what it promises", "#kept"
MOST_BANS = 3


class Keeper:
    """Notes in `said` what is not as it should be."""

    def __init__(self, random: Random, said: Transcript) -> None:
        self.changes = 0
        """How many were acknowledged."""
        self.draining = False
        """Whether one more change is enough."""
        self._random = random
        self._said = said
        self._asked = 0
        self._acknowledged = RoomState()
        self._next: RoomState | None = None  # asked for, and not acknowledged
        self._speaker: Speaker

    async def register(self, port: int) -> None:
        """Make the account, come back as its user, and make the room."""
        guest = await Speaker.connect(port)
        await guest.enter(NAME, more="draft/account-registration")
        guest.send(f"REGISTER {NAME} * :{PASSWORD}")
        await guest.until("REGISTER")
        guest.send("QUIT")
        try:
            while True:
                await guest.hear()
        except Gone:
            await guest.close()
        speaker = await self._log_in(port)
        await speaker.ask(f"JOIN {ROOM}")
        await speaker.close()

    async def enter(self, port: int) -> None:
        """Come back, and see whether everything is as it was."""
        speaker = self._speaker = await self._log_in(port)
        answers = await speaker.ask(f"NAMES {ROOM}", f"TOPIC {ROOM}", f"MODE {ROOM}", f"MODE {ROOM} b")
        members = {name for message in answers if message.command == "353" for name in message.params[-1].split()}
        if f"@{NAME}" not in members:
            self._said.wrong.append(f"{NAME} does not run {ROOM}: {sorted(members)}")
        now = room_state(answers)
        wrong = judge_state(now, self._acknowledged, self._next)
        if wrong is not None:
            self._said.wrong.append(wrong)
        self._acknowledged, self._next = now, None

    async def change(self) -> None:
        """Change one thing after the other until the connection ends, or it is enough."""
        try:
            while True:
                command, self._next = self._choose(self._acknowledged)
                self._speaker.send(f"@label={self._asked} {command}")
                *_, answer = await self._speaker.until(command.split()[0], label=str(self._asked))
                if answer.by != NAME:
                    raise Unexpected(f"{command} is answered {answer}")
                self._acknowledged, self._next = self._next, None
                self.changes += 1
                if self.draining:
                    return
        except Gone:
            pass
        finally:
            await self._speaker.close()

    async def _log_in(self, port: int) -> Speaker:
        speaker = await Speaker.connect(port)
        token = base64.b64encode(f"\0{NAME}\0{PASSWORD}".encode()).decode()
        speaker.send(f"CAP REQ :{CAPABILITIES} sasl", "AUTHENTICATE PLAIN", f"AUTHENTICATE {token}")
        await speaker.until("903")
        await speaker.enter(NAME)
        return speaker

    def _choose(self, state: RoomState) -> tuple[str, RoomState]:
        """A command, and what the room is after it. Some are two changes, of which both must be or none."""
        self._asked += 1
        kind = self._random.choice(("topic", "ban", "mode", "both"))
        if kind == "topic":
            topic = f"topic {self._asked}"
            return f"TOPIC {ROOM} :{topic}", state._replace(topic=topic)
        modes, value = "", ""
        if kind in ("mode", "both"):
            state = state._replace(moderated=not state.moderated)
            modes += "+m" if state.moderated else "-m"
        if kind in ("ban", "both"):
            off = len(state.bans) >= MOST_BANS or (bool(state.bans) and self._random.random() < 0.5)
            mask = self._random.choice(sorted(state.bans)) if off else f"nobody{self._asked}!*@*"
            state = state._replace(bans=state.bans ^ {mask})
            modes, value = f"{modes}{'-' if off else '+'}b", f" {mask}"
        return f"MODE {ROOM} {modes}{value}", state


def room_state(answers: list[Message]) -> RoomState:
    """The state that TOPIC, MODE and MODE b tell of."""
    told = {message.command: message.params for message in answers}
    bans = frozenset(message.params[2] for message in answers if message.command == "367")
    return RoomState(told["332"][-1] if "332" in told else "", bans, "m" in told["324"][2])
