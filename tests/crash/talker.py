"""A talker: a guest who says line after line, and again what was not acknowledged when the server was killed."""

from __future__ import annotations

from collections import deque
from random import Random

from tests.crash.speaker import Gone, Message, Speaker, Unexpected
from tests.crash.transcript import Line, Transcript, told

WINDOW = 32
"""How many lines may be unacknowledged."""
BACK = 3
"""How many acknowledged lines are sent again at most, as by a client that was itself cut off from its notes."""


class Talker:
    """Named `name`; notes everything in `said`."""

    def __init__(self, name: str, room: str, random: Random, said: Transcript) -> None:
        self.name = name
        self.draining = False
        """Whether nothing new is to be said; `talk` ends when everything is acknowledged."""
        self._room = room
        self._random = random
        self._said = said
        self._key = f"{random.getrandbits(128):032x}"
        self._new = 0  # the number of the next line that was never sent
        self._again: deque[int] = deque()  # to be sent before anything new
        self._waiting: dict[int, None] = {}  # sent and not acknowledged, in order
        self._speaker: Speaker

    async def enter(self, port: int) -> None:
        """Come in, and have in mind what is to be said again."""
        self._speaker = await Speaker.connect(port)
        await self._speaker.enter(self.name, self._room)
        first = next(iter([*self._waiting, *self._again]), self._new)
        self._waiting.clear()
        self._again = deque(range(max(0, first - self._random.randint(0, BACK)), self._new))

    async def talk(self) -> None:
        """Talk until the connection ends, or until all is said."""
        try:
            self._fill()
            while self._waiting:
                for message in await self._speaker.hear():
                    self._note(message)
                self._fill()
        except Gone:
            pass
        finally:
            await self._speaker.close()

    def _fill(self) -> None:
        """Have as many lines on their way as may be."""
        lines = []
        while len(self._waiting) < WINDOW and (self._again or not self.draining):
            if self._again:
                number = self._again.popleft()
                self._said.again += 1
            else:
                number, self._new = self._new, self._new + 1
            self._waiting[number] = None
            tags = f"@label={number};+asynchat/key={self._key}/{number}"
            lines.append(f"{tags} PRIVMSG {self._room} :{Line(self.name, number).text}")
        self._said.sent += len(lines)
        if lines:
            self._speaker.send(*lines)

    def _note(self, message: Message) -> None:
        label, msgid = message.tags.get("label"), message.tags.get("msgid", "")
        spoken = message.command == "PRIVMSG"
        if spoken:
            self._said.heard[self.name].append(told(message.params[1], msgid, message.by))
        if label is None:
            return
        line = Line(self.name, int(label))
        if line.number not in self._waiting or not (message.command == "ACK" or message.params[-1] == line.text):
            raise Unexpected(f"{self.name} is answered {message}")
        if line.number != next(iter(self._waiting)):
            self._said.out_of_turn.append(f"{line} was acknowledged before {next(iter(self._waiting))}")
        del self._waiting[line.number]
        self._said.repeats += not spoken
        self._said.acked[line].append(msgid)
