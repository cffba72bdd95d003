"""The reference of settings, made from their declaration: `python -m asynchat.cli.pages.reference`."""

from __future__ import annotations

from typing import Any

import click

from asynchat.config.server import declared

HEAD = """# Settings

Made by `make docs` from `src/asynchat/config/server.py`; do not edit.

What counts, strongest first: option, environment, `--config FILE`, `$XDG_CONFIG_HOME/asynchat/server.toml`,
`/etc/asynchat/server.toml`, default. The environment variable of an option is `ASYNCHAT_SERVE_` and its name in
capitals; `ASYNCHAT_HOST`, `ASYNCHAT_PORT`, `ASYNCHAT_DATA`, `ASYNCHAT_CONFIG` and `ASYNCHAT_LOG_LEVEL` are understood
too. Sizes are written as `16KiB`, durations as `500ms`, `60s`, `10m`.
"""


def settings_page() -> str:
    """The page, as Markdown."""
    lines, last = [HEAD], ""
    for section, each in declared():
        if section != last:
            lines += [f"## [{section}]", "", "| name | is | default | option |", "|---|---|---|---|"]
            last = section
        option = f"`{each.metadata['option']}`" if each.metadata["option"] else ""
        choices = getattr(each.metadata["parse"], "choices", ())
        does = each.metadata["help"] + (f": {', '.join(choices)}" if choices else "")
        lines.append(f"| `{each.name}` | {does} | {_shown(each.default)} | {option} |")
    text = "\n".join(lines).replace("\n## ", "\n\n## ").replace("\n\n\n", "\n\n")
    return text + "\n"


def _shown(default: Any) -> str:
    if default is None:
        return ""
    if isinstance(default, tuple):
        return f"`[{', '.join(repr(each) for each in default)}]`".replace("'", '"')
    if isinstance(default, bool):
        return f"`{str(default).lower()}`"
    if isinstance(default, int) and default >= 1024 and default % 1024 == 0:
        return f"`{default // 1024}KiB`"
    return f"`{default:g}s`" if isinstance(default, float) else f"`{default}`"


if __name__ == "__main__":
    click.echo(settings_page(), nl=False)
