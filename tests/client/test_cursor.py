"""A cursor keeps up to where places are done with, whole and for one process."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from asynchat.chat.errors import StoreError
from asynchat.client import cursor as module
from asynchat.client.cursor import Cursor

HERE = "asynchat://localhost:12345"


def test_what_is_moved_is_there_again(tmp_path: Path) -> None:
    with Cursor(tmp_path / "cursor", HERE) as cursor:
        cursor.move({"#lobby": "msgid=1", "bob": "msgid=2"})
        cursor.move({"#lobby": "msgid=3"})
        secret = cursor.secret()
    with Cursor(tmp_path / "cursor", HERE) as cursor:
        assert cursor.places == {"bob": "msgid=2", "#lobby": "msgid=3"}
        assert cursor.get("#LOBBY") == "msgid=3"
        assert cursor.secret() == secret
    assert (tmp_path / "cursor").stat().st_mode & 0o077 == 0


def test_a_secret_is_there_even_if_nothing_was_moved(tmp_path: Path) -> None:
    with Cursor(tmp_path / "cursor", HERE) as cursor:
        secret = cursor.secret()
        assert len(secret) == 32
        assert secret in (tmp_path / "cursor").read_text()  # killed now, it would be found
    with Cursor(tmp_path / "other", HERE) as cursor:
        assert cursor.secret() != secret


def test_that_of_another_url_is_refused_with_a_way_out(tmp_path: Path) -> None:
    path = tmp_path / "cursor"
    with Cursor(path, "asynchat://127.0.0.1:12345") as cursor:
        cursor.move({"#lobby": "msgid=1"})
    with pytest.raises(StoreError) as refused, Cursor(path, "asynchat://localhost:12345"):
        pass
    assert str(refused.value) == (
        f"{path} is the cursor of asynchat://127.0.0.1:12345, not of asynchat://localhost:12345: "
        "use that URL, or another file; or remove this one, to begin with what is said from then on"
    )


def test_one_that_is_larger_than_a_page_is_replaced_and_stays_ours(tmp_path: Path) -> None:
    path = tmp_path / "cursor"
    with Cursor(path, HERE) as cursor:
        cursor.move({"#lobby": "msgid=1"})
        first = path.stat().st_ino
        places = {f"#room-{number}": f"msgid={number}" for number in range(500)}
        cursor.move(places)
        assert path.stat().st_size > module.PAGE
        assert path.stat().st_ino != first
        with pytest.raises(StoreError, match="another process"), Cursor(path, HERE):
            pass
        cursor.move({"#lobby": "msgid=2"})
    with Cursor(path, HERE) as cursor:
        assert cursor.places == {"#lobby": "msgid=2"} | places
    assert [each.name for each in tmp_path.iterdir()] == ["cursor"]


def test_whose_file_is_replaced_while_they_wait_for_it_takes_the_new_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, take, times = tmp_path / "cursor", module._take, []

    def late(descriptor: int) -> None:
        """Between opening and having the file another process replaces it."""
        if not times:
            (tmp_path / "new").write_text(json.dumps({"server": HERE, "places": {"#lobby": "msgid=9"}}))
            (tmp_path / "new").replace(path)
        times.append(descriptor)
        take(descriptor)

    path.write_text("")
    monkeypatch.setattr(module, "_take", late)
    with Cursor(path, HERE) as cursor:
        assert cursor.get("#lobby") == "msgid=9"
    assert len(times) == 2


def test_people_are_kept_up_to_a_number_those_of_late(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PEOPLE", 3)
    with Cursor(tmp_path / "cursor", HERE) as cursor:
        cursor.move({"*": "timestamp=x", "#lobby": "msgid=0"})
        for number in range(6):
            cursor.move({f"guest{number}": "msgid=1"})
        cursor.move({"guest3": "msgid=2"})
        cursor.move({"guest6": "msgid=1"})
        assert list(cursor.places) == ["*", "#lobby", "guest5", "guest3", "guest6"]
