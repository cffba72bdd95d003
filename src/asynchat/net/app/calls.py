"""Calls of an application's functions: bounded in time, and what goes wrong in one costs nobody else anything."""

from __future__ import annotations

import asyncio
import inspect
import logging
import re
from collections import Counter
from collections.abc import Callable
from typing import Any

from asynchat.chat.errors import Refused

log = logging.getLogger("asynchat.hooks")

SLOW_S = 0.1
"""From how long on a call is told of."""
COMPLAIN_S = 10.0
"""How often at most it is told of one hook that it is slow."""
_CODE = re.compile(r"[A-Z][A-Z0-9_]*")
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f]+")


def name_of(function: Callable[..., Any]) -> str:
    """What a function is called in the log."""
    module, name = getattr(function, "__module__", "?"), getattr(function, "__qualname__", repr(function))
    return f"{module}.{name}"


class Calls:
    """Calls functions, sync or async, for at most `timeout_s`; `errors` counts by their names those that failed."""

    def __init__(self, timeout_s: float) -> None:
        self.timeout_s = timeout_s
        self.errors: Counter[str] = Counter()
        self._complained: dict[str, float] = {}

    async def call(
        self,
        function: Callable[..., Any],
        about: str,
        *arguments: Any,
        gives: tuple[type, ...] = (object,),
        check: Callable[[Any], object] = lambda given: given,
    ) -> Any:
        """What a function gives; `about` tells the log what it was called for.

        What is of none of the types `gives`, or makes `check` raise something, counts as a failure of the function; so
        does whatever it raises, but for what ends a program, and what cancels the task that calls it.

        Raises:
            Refused: it says so; HOOK_TIMEOUT, HOOK_FAILED: which was logged, and counted.
        """
        name, clock = name_of(function), asyncio.get_running_loop().time
        began, scope = clock(), asyncio.timeout(self.timeout_s)
        try:
            async with scope:
                result = function(*arguments)
                if inspect.isawaitable(result):
                    result = await result
            if not isinstance(result, gives):
                raise TypeError(f"{name} gave {result!r}")
            check(result)
            return result
        except Refused as refused:
            raise _spoken(refused) from None
        except (SystemExit, KeyboardInterrupt):
            raise
        except BaseException as error:
            if isinstance(error, asyncio.CancelledError) and _is_cancelled():  # else it awaited something that was
                raise
            self.errors[name] += 1
            if isinstance(error, TimeoutError) and scope.expired():
                log.error("%s took more than %g s on %s", name, self.timeout_s, about)
                raise Refused("HOOK_TIMEOUT", "the server's program takes too long; try again later") from None
            log.exception("%s failed on %s", name, about)
            raise Refused("HOOK_FAILED", "the server's program failed on that") from None
        finally:
            self._look_at(name, clock() - began, about)

    def _look_at(self, name: str, took_s: float, about: str) -> None:
        now = asyncio.get_running_loop().time()
        if took_s > SLOW_S and now - self._complained.get(name, -COMPLAIN_S) >= COMPLAIN_S:
            self._complained[name] = now
            log.warning("%s is slow: %.0f ms on %s", name, took_s * 1000, about)


def _is_cancelled() -> bool:
    """Whether somebody wants the running task to end."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _spoken(refused: Refused) -> Refused:
    """A refusal as every wire can put it: an application may have written anything."""
    code = refused.code if _CODE.fullmatch(str(refused.code)) else "REFUSED"
    text = _UNPRINTABLE.sub(" ", str(refused.text)).strip()
    if (code, text) == (refused.code, refused.text):
        return refused
    return Refused(code, text, refused.about)
