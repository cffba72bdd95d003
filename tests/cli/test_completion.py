"""`asynchat completion`: what real shells make of the scripts."""

from __future__ import annotations

import json
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from asynchat.cli import COMMANDS, group
from asynchat.cli.invocation import GlobalOption
from asynchat.cli.send import command as send
from tests.net.conftest import environment

needs = {
    shell: pytest.mark.skipif(shutil.which(shell) is None, reason=f"{shell} is not installed")
    for shell in ("bash", "zsh", "fish")
}
GLOBAL = {"--config", "--verbose", "--quiet", "--color", "--help"}


def in_a_shell(shell: str, program: str, folder: Path) -> list[str]:
    """What a program prints that begins with the script, in a shell that finds our command first."""
    script = CliRunner().invoke(group, ["completion", shell])
    assert script.exit_code == 0
    env = environment(folder)
    env["PATH"] = f"{Path(sys.executable).parent}:{env['PATH']}"
    done = subprocess.run(
        [shell, "-c", f"{script.stdout}\n{program}"], env=env, capture_output=True, text=True, timeout=15, check=True
    )
    return done.stdout.splitlines()


def completed_by_bash(line: str, folder: Path) -> list[str]:
    """What Tab offers at the end of a line; a space there begins another word."""
    words = shlex.split(line) + ([""] if line.endswith(" ") else [])
    program = f"""
        COMP_WORDS=({shlex.join(words)})
        COMP_CWORD={len(words) - 1}
        _asynchat_completion asynchat
        printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    return in_a_shell("bash", program, folder)


@needs["bash"]
def test_bash_knows_which_function_completes_it(tmp_path: Path) -> None:
    (line,) = in_a_shell("bash", "complete -p asynchat", tmp_path)
    assert "-F _asynchat_completion asynchat" in line


@needs["bash"]
@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("asynchat ", list(COMMANDS)),
        ("asynchat se", ["serve", "send"]),
        ("asynchat nothing", []),
        ("asynchat -v --color never con", ["config"]),
        ("asynchat admin account a", ["add"]),
        ("asynchat serve --greeting ", ["text", "nick", "none"]),
        ("asynchat serve --greeting n", ["nick", "none"]),
        ("asynchat serve --color a", ["auto", "always"]),
        ("asynchat completion ", ["bash", "zsh", "fish"]),
        ("asynchat serve --dur", ["--durability"]),
    ],
)
def test_bash_offers_what_fits(line: str, offered: list[str], tmp_path: Path) -> None:
    assert [each for each in completed_by_bash(line, tmp_path) if each] == offered


@needs["bash"]
def test_bash_offers_every_option(tmp_path: Path) -> None:
    own = {
        word
        for each in send.params
        if not isinstance(each, GlobalOption)
        for word in (*each.opts, *each.secondary_opts)
    }
    assert (
        set(completed_by_bash("asynchat send --", tmp_path)) == {word for word in own if word.startswith("--")} | GLOBAL
    )
    assert set(completed_by_bash("asynchat --", tmp_path)) == GLOBAL | {"--version"}


@needs["zsh"]
def test_zsh_takes_the_script(tmp_path: Path) -> None:
    program = "autoload -U compinit && compinit -u && compdef _asynchat_completion asynchat; print $_comps[asynchat]"
    assert in_a_shell("zsh", program, tmp_path)[-1] == "_asynchat_completion"


@needs["fish"]
def test_fish_offers_what_fits(tmp_path: Path) -> None:
    offered = in_a_shell("fish", "complete --do-complete 'asynchat se'", tmp_path)
    assert sorted(line.split("\t")[0] for line in offered) == ["send", "serve"]  # versions of fish differ in the order


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_is_all_that_is_printed_and_asks_click(shell: str) -> None:
    done = CliRunner().invoke(group, ["completion", shell])
    assert (done.exit_code, done.stderr) == (0, "")
    assert f"_ASYNCHAT_COMPLETE={shell}_complete" in done.stdout


def test_other_shells_are_a_mistake() -> None:
    assert CliRunner().invoke(group, ["completion", "csh"]).exit_code == 2


@pytest.mark.parametrize(
    ("words", "imported"),
    [("asynchat ", []), ("asynchat --", []), ("asynchat completion b", ["completion"])],
)
def test_only_the_command_that_is_completed_is_imported(words: str, imported: list[str], tmp_path: Path) -> None:
    """Who presses Tab waits for it."""
    program = (
        "import json, sys; sys.argv = ['asynchat']; from asynchat.cli import COMMANDS, main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "print(json.dumps([sorted(COMMANDS.keys() & {name.rpartition('.')[2] for name in sys.modules\n"
        "  if name.startswith('asynchat.cli.')}), 'asyncio' in sys.modules]))"
    )
    asked = {"_ASYNCHAT_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": str(words.count(" "))}
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=environment(tmp_path) | asked,
        capture_output=True,
        text=True,
        timeout=15,
        check=True,
    )
    offered, found = done.stdout.rstrip().rpartition("\n")[::2]
    assert offered
    assert json.loads(found) == [imported, False]
