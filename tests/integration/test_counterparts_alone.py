"""Every counterpart can be started alone, from the command line."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from simulators.__main__ import COMMANDS, main
from simulators.devices import MODELS
from simulators.hosts import HOSTS

WORLD = Path(__file__).parents[2] / "simulators" / "worlds" / "tiny.toml"


@contextmanager
def _running(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-u", "-m", "simulators", *arguments]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 0
        for pipe in (process.stdout, process.stdin):
            assert pipe
            pipe.close()


def test_everything_is_listed(capsys: pytest.CaptureFixture[str]) -> None:
    """Without a command the list names every command, model, host and card."""
    assert main([]) == 0
    listed = capsys.readouterr().out
    for name in (*COMMANDS, *MODELS, *HOSTS, "bank", "wang_xiulan"):
        assert name in listed


@pytest.mark.parametrize("model", ["kmy", "escpos"])
def test_a_device_stands_on_its_line(model: str, tmp_path: Path) -> None:
    """Its pty is there as long as it runs."""
    line = tmp_path / "line"
    with _running("device", model, "--line", str(line), "--world", str(WORLD)) as process:
        assert process.stdout
        assert process.stdout.readline() == f"ready {line}\n"
        assert line.is_char_device()
    assert not line.exists()


@pytest.mark.parametrize(("name", "scheme"), [("card_platform", "https"), ("bank", "tls")])
def test_a_host_listens(name: str, scheme: str, tmp_path: Path) -> None:
    """It says where, by which protocol, and which certificates to use."""
    with _running("host", name, "--run-dir", str(tmp_path), "--world", str(WORLD)) as process:
        assert process.stdout
        assert process.stdout.readline().startswith(f"ready {scheme}://127.0.0.1:")
        assert "terminal.pem" in process.stdout.readline()


def test_an_unknown_command_is_refused() -> None:
    """Exit status 2, as argparse does."""
    with pytest.raises(SystemExit) as ended:
        main(["fly"])
    assert ended.value.code == 2
