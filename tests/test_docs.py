"""What the docs say is so: README's commands and transcript run, the reference is what the code declares."""

from __future__ import annotations

import importlib.util
import inspect
import json
import re
import shlex
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import is_dataclass
from pathlib import Path
from types import ModuleType

import pytest

import asynchat as library
from asynchat import cli
from asynchat.chat.events import Flag, Kind, Setting
from asynchat.cli import COMMANDS
from asynchat.cli.pages.manpage import man_page, roff
from asynchat.cli.pages.manual import EXIT_CODES, Page, cli_page, pages
from asynchat.cli.pages.reference import settings_page
from asynchat.client.terminal.commands import COMMANDS as DESK
from asynchat.store.codec import _FIELDS, from_json, to_json

ROOT = Path(__file__).parents[1]
PAGES = list(pages())
README = (ROOT / "README.md").read_text()


def transcript(start: str) -> list[str]:
    """The lines of the console block that begins so."""
    for block in re.findall(r"```console\n(.*?)```", README, re.DOTALL):
        if block.startswith(start):
            return block.splitlines()
    raise AssertionError(f"README has no transcript that begins with {start}")


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    """A server as README starts it, on any port."""
    command = [sys.executable, "-m", "asynchat", "serve", "--port", "0", "--data", str(tmp_path), "--print-url"]
    command.append("--console")  # as in the foreground of a terminal
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, text=True) as server:
        assert server.stdout is not None
        url = server.stdout.readline().strip()
        while "you are the server" not in server.stdout.readline():
            assert server.poll() is None
        yield url
        server.terminate()
        assert server.wait(10) == 0


def asynchat(line: str, url: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    """Run a command line of README against that server."""
    program, *rest = shlex.split(line)
    assert program == ".venv/bin/asynchat"
    return subprocess.run(
        [sys.executable, "-m", "asynchat", *rest],
        env={"ASYNCHAT_URL": url, "HOME": "/nonexistent", "PATH": ""},
        input=stdin,
        capture_output=True,
        text=True,
        timeout=15,
        check=False,
    )


def test_the_netcat_transcript_is_what_happens(url: str) -> None:
    host, _, port = url.removeprefix("asynchat://").partition(":")
    script = transcript("$ nc")[1:]
    assert "<bob> hi alice" in script
    with socket.create_connection((host, int(port)), timeout=10) as alice, alice.makefile("rw", newline="\n") as stream:
        bob = None
        for line in script:
            if line.startswith("<bob>"):
                bob = socket.create_connection((host, int(port)), timeout=10)
                bob.sendall(f"bob\n{line.partition('> ')[2]}\n".encode())
                assert stream.readline() == "*** bob joined\n"  # README leaves it out
            if line.startswith(("***", "<")):
                known, key, _ = line.partition(" resume key ")
                told = stream.readline()
                assert told.partition(" resume key ")[:2] == (known, key) if key else told == f"{line}\n"
            else:
                stream.write(f"{line}\n")
                stream.flush()
        assert stream.read() == ""
        assert bob is not None
        bob.close()


def test_the_send_transcript_is_what_happens(url: str) -> None:
    keyed = next(line for line in transcript("$ .venv/bin/asynchat send") if "--key" in line)
    piped, _, command = keyed.removeprefix("$ ").partition(" | ")
    first = asynchat(command, url, stdin=shlex.split(piped)[1])
    again = asynchat(command, url, stdin=shlex.split(piped)[1])
    assert first.returncode == 0, first.stderr
    assert re.fullmatch(r'\{"id": "\d+", "to": "#lobby"\}\n', first.stdout)
    assert again.stdout == first.stdout


def test_join_in_a_pipe_says_what_it_reads_and_writes_what_it_hears(url: str) -> None:
    assert asynchat(".venv/bin/asynchat send hello", url).returncode == 0
    joined = asynchat(".venv/bin/asynchat join --name bob", url, stdin="hi\n")
    assert joined.returncode == 0, joined.stderr
    assert joined.stdout.endswith("> hello\n")
    assert "*** joined #lobby" in joined.stderr


def test_every_command_of_the_desk_is_in_its_page() -> None:
    page = (ROOT / "docs" / "terminal.md").read_text()
    assert [row.name for row in DESK.values() if f"`/{row.name}`" not in page] == []


def test_every_make_target_of_the_docs_exists() -> None:
    makefile = (ROOT / "Makefile").read_text()
    docs = README + (ROOT / "CONTRIBUTING.md").read_text()
    targets = set(re.findall(r"`make (\w+)", docs)) | set(re.findall(r"^\$ make (\w+)", docs, re.MULTILINE))
    assert {"run", "test", "check"} <= targets
    assert [target for target in targets if f"\n{target}:" not in makefile] == []


def test_the_settings_page_is_what_the_code_declares() -> None:
    page = (ROOT / "docs" / "reference" / "settings.md").read_text()
    assert page == settings_page(), "run `make docs`"


def test_the_pages_of_the_commands_are_what_the_code_declares() -> None:
    assert (ROOT / "docs" / "reference" / "cli.md").read_text() == cli_page(), "run `make docs`"
    assert (ROOT / "docs" / "asynchat.1").read_text() == man_page(), "run `make docs`"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_and_every_option_says_what_it_does(page: Page) -> None:
    assert page.paragraphs
    assert [option.names for option in page.options if not option.help] == []
    assert len({option.names for option in page.options}) == len(page.options)


def test_the_pages_of_the_commands_name_all_of_them_their_variables_and_codes() -> None:
    man = man_page().replace("\\-", "-")
    for page in (cli_page(), man):
        assert [name for name in COMMANDS if f"asynchat {name}" not in page] == []
        for words in ("ASYNCHAT_HOST", "--durability", "--config", "NO_COLOR", "server.toml"):
            assert words in page
    codes = {value for name, value in vars(cli).items() if name.isupper() and isinstance(value, int)}
    assert codes == EXIT_CODES.keys()


@pytest.mark.skipif(shutil.which("groff") is None, reason="groff is not installed")
def test_the_man_page_is_roff_that_nothing_is_wrong_with() -> None:
    file = ROOT / "docs" / "asynchat.1"
    done = subprocess.run(
        ["groff", "-man", "-ww", "-Tutf8", "-P-c", str(file)], capture_output=True, text=True, timeout=15, check=True
    )
    assert done.stderr == ""
    for words in ("SYNOPSIS", "EXIT STATUS", "asynchat [OPTIONS] COMMAND [ARGS]...", "--config FILE"):
        assert words in re.sub(".\x08", "", done.stdout)


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("--url", "\\-\\-url"),
        (".dot", "\\&.dot"),
        ("a\\b 'c' \"d\"", "a\\eb \\(aqc\\(aq \\(dqd\\(dq"),
        ("#bench-…", "#bench\\-\\[u2026]"),
        ("~/`x`^", "\\(ti/\\(gax\\(ga\\(ha"),
    ],
)
def test_roff_finds_nothing_in_a_text(text: str, written: str) -> None:
    assert roff(text) == written


@pytest.mark.parametrize(
    "page",
    [
        "docs/embedding.md",
        "docs/reference/api.md",
        "README.md",
        "CONTRIBUTING.md",
        "docs/architecture.md",
        "docs/reference/export.md",
        "docs/testing.md",
    ],
)
def test_links_lead_somewhere(page: str) -> None:
    path = ROOT / page
    for target in re.findall(r"\]\(([^)#:]+)\)", path.read_text()):
        assert (path.parent / target).exists(), target


def test_the_reference_of_the_export_names_every_kind_its_fields_and_words() -> None:
    page = (ROOT / "docs" / "reference" / "export.md").read_text()
    rows = dict(re.findall(r"^\| `([A-Z]\w+)` \| (.*) \|$", page, re.MULTILINE))
    assert {kind.__name__ for kind in _FIELDS} == rows.keys()
    for kind, fields in _FIELDS.items():
        assert [name for name, _, _ in fields if f"`{name}`" not in rows[kind.__name__]] == []
    assert [word.value for words in (Kind, Flag, Setting) for word in words if f"`{word.value}`" not in page] == []
    for line in re.findall(r"^\{.*", page, re.MULTILINE):
        values = json.loads(line)
        if "event" in values:
            assert json.dumps(to_json(from_json(values)), separators=(",", ":")) == line


def _api() -> ModuleType:
    path = ROOT / "docs" / "reference" / "api.py"
    spec = importlib.util.spec_from_file_location("api", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


API = _api()
NAMES = {name: thing for name, thing in API.public().items() if name != "__version__"}
PUBLIC = [thing for name in library.__all__ if isinstance(thing := getattr(library, name), type)]


def test_the_reference_of_the_api_is_what_the_code_says() -> None:
    assert (ROOT / "docs" / "reference" / "api.md").read_text() == API.api_page(), "run `make docs`"


@pytest.mark.parametrize("name", NAMES)
def test_every_public_name_and_all_that_is_public_of_it_is_documented(name: str) -> None:
    thing, page = NAMES[name], API.api_page()
    members = (
        {f"### {name}.{each}": member for each, member in API.members(thing).items()} if inspect.isclass(thing) else {}
    )
    for title, each in {f"## {name}": thing, **members}.items():
        _, found, text = page.partition(f"\n{title}\n")
        assert found, title
        words = inspect.cleandoc(each.__doc__ or "").partition("\n")[0]
        assert words, title
        assert words in text.partition("\n##")[0], title


def test_what_others_test_with_is_in_the_reference() -> None:
    names = {"Heard", "Person", "Person.hear", "ThreadServer.run", "chat_server", "thread_server"}
    assert {f"testing.{name}" for name in names} <= set(re.findall(r"^##+ (\S+)", API.api_page(), re.MULTILINE))


@pytest.mark.parametrize("kind", [kind for kind in PUBLIC if is_dataclass(kind)], ids=lambda kind: kind.__name__)
def test_the_words_of_a_public_fact_tell_of_each_of_its_fields(kind: type) -> None:
    fields = [name for name in kind.__dataclass_fields__ if name[:1] != "_"]
    assert [name for name in fields if f"`{name}`" not in (kind.__doc__ or "")] == []


EMBEDDING = (ROOT / "docs" / "embedding.md").read_text()
PROGRAMS = re.findall(r"```python\n(.*?)```", EMBEDDING, re.DOTALL)


@pytest.mark.parametrize("number", range(len(PROGRAMS)))
def test_the_programs_of_the_guide_to_embedding_print_what_it_says(number: int, tmp_path: Path) -> None:
    program = PROGRAMS[number]
    command = [sys.executable, "-W", "error", "-c", program]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=15, check=False)
    assert done.stderr == ""
    assert done.stdout.splitlines() == [line[4:] for line in program.splitlines() if line.startswith("# > ")]
