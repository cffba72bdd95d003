"""Where configuration comes from.

The order, strongest first: option, environment, `--config`, the user's file, the system's file, default.
"""

from __future__ import annotations

import os
from pathlib import Path


def config_files(name: str, given: str | None) -> list[Path]:
    """The files to read, weakest first; a file that is given must be there, and then it is the only one."""
    return [path for path in config_places(name, given) if given is not None or path.is_file()]


def config_places(name: str, given: str | None) -> list[Path]:
    """Where the files to read may be, weakest first."""
    if given is not None:
        return [Path(given)]
    home = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    return [Path("/etc/asynchat") / name, home / "asynchat" / name]
