"""Commands called with a wrong file, or none, say in a sentence what to do, and end with a status that is not 0."""

import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from kiosk.__main__ import main as kiosk
from kiosk.records.books import main as books
from offline_queue.journal import SqliteJournal

KIOSK = (["run"], ["settings"], ["doctor"], ["doctor", "--json"], ["case", "123456"])
BOOKS = (["verify"], ["statement", "2026-11-21"], ["audit", "out.jsonl"])
Command = Callable[[list[str]], int]


def _cases() -> list[tuple[Command, list[str]]]:
    return [*((kiosk, words) for words in KIOSK), *((books, words) for words in BOOKS)]


def _words(one: object) -> str:
    """The same in every process, as an address in memory is not."""
    return one.__module__ if callable(one) else str(one)


def _called(command: Command, words: list[str], settings: Path) -> int:
    named = ["--settings", str(settings)]
    return command([*words, *named] if command is kiosk else [*named, *words])


def begin_journal(folder: Path) -> None:
    journal = SqliteJournal(folder, lambda: datetime(2026, 11, 21, 10, 24, tzinfo=UTC))
    journal.record("kiosk_started")
    journal.close()


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    path = tmp_path / "settings.toml"
    path.write_text(f'run_dir = "{tmp_path / "run"}"\ndata_dir = "{tmp_path / "data"}"\n')
    return path


def test_settings_that_can_be_used(settings: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is begun by the question."""
    assert kiosk(["settings", "--settings", str(settings)]) == 0
    assert capsys.readouterr().out == "This program can use these settings.\n"
    assert [path.name for path in settings.parent.iterdir()] == ["settings.toml"]


@pytest.mark.parametrize(("command", "words"), _cases(), ids=_words)
def test_without_settings_it_says_where_they_are(
    command: Command, words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The file that is missing, the option that names another, and where the demo's is; no trace of Python."""
    assert _called(command, words, tmp_path / "none.toml") != 0
    said = capsys.readouterr()
    assert said.out == ""
    assert "none.toml: there is no such settings file" in said.err
    assert "--settings" in said.err and ".run/settings.toml" in said.err


@pytest.mark.parametrize(("command", "words"), _cases(), ids=_words)
@pytest.mark.parametrize(
    "content",
    [b"run_dir = 3\n", b'run_dir = "x\n', b"\xff\xfe", b'run_dir = "a"\ndata_dir = "b"\nfly = 1\n'],
    ids=_words,
)
def test_a_settings_file_that_is_none_is_named(
    command: Command, words: list[str], content: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A wrong type, broken TOML, no text at all, an unknown key: the file and the reason, and what to do."""
    path = tmp_path / "broken.toml"
    path.write_bytes(content)
    assert _called(command, words, path) != 0
    said = capsys.readouterr().err
    assert "broken.toml: " in said and "Correct this in the file" in said
    assert "Traceback" not in said


@pytest.mark.parametrize(
    ("command", "words"), [(kiosk, ["case", "123456"]), *((books, one) for one in BOOKS)], ids=_words
)
def test_without_a_journal_it_says_so(
    command: Command, words: list[str], settings: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A terminal that never ran has no journal: no trace of Python, and nothing is made."""
    assert _called(command, words, settings) != 0
    said = capsys.readouterr().err
    assert "no journal" in said and "data_dir" in said
    assert not (settings.parent / "data").exists()
    assert not Path("out.jsonl").exists()


@pytest.mark.parametrize(
    ("command", "words"), [(kiosk, ["case", "123456"]), *((books, one) for one in BOOKS)], ids=_words
)
def test_a_file_that_is_no_journal_is_left_as_it_is(
    command: Command, words: list[str], settings: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Overwritten, it is told to be kept; a command that reads changes no byte of it."""
    data = settings.parent / "data"
    begin_journal(data)
    for beside in data.glob("journal.db-*"):
        beside.unlink()
    broken = b"not a database " * 300
    (data / "journal.db").write_bytes(broken)
    assert _called(command, words, settings) != 0
    assert "Keep it as it is" in capsys.readouterr().err
    assert (data / "journal.db").read_bytes() == broken


def test_an_audit_overwrites_nothing(settings: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file that is there already is named, and stays."""
    begin_journal(settings.parent / "data")
    there = tmp_path / "there.jsonl"
    there.write_text("mine")
    assert books(["--settings", str(settings), "audit", str(there)]) != 0
    assert "Name another one" in capsys.readouterr().err
    assert there.read_text() == "mine"


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (kiosk, ["case"]),
        (kiosk, ["case", "abc"]),
        (kiosk, ["fly"]),
        (books, ["verify", "--anchor", "zz"]),
        (books, ["verify", "--anchor", "1:zz"]),
        (books, ["statement", "yesterday"]),
        (books, []),
    ],
    ids=_words,
)
def test_words_that_mean_nothing_are_refused_before_anything_is_opened(
    command: Command, words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit status 2 and the usage, as every program does."""
    with pytest.raises(SystemExit) as ended:
        command(words)
    assert ended.value.code == 2
    assert "usage:" in capsys.readouterr().err


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_file_of_somebody_else_says_who_may_read_it(settings: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Not permitted: do it as the terminal's user."""
    data = settings.parent / "data"
    begin_journal(data)
    (data / "journal.key").chmod(0)
    assert books(["--settings", str(settings), "verify"]) != 0
    assert "as the user that the terminal runs as" in capsys.readouterr().err
