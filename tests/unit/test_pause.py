"""The pause before a process of the terminal is started anew."""

from pathlib import Path

from provisioning.terminal.pause import PAUSES_S, STEADY_S, pause_s


def test_each_failure_waits_longer_up_to_a_bound(tmp_path: Path) -> None:
    """The first is started anew at once; a process that never comes up costs three starts a minute, for ever."""
    file, now = tmp_path / "failures", 100.0
    pauses = []
    for _ in range(8):
        pauses.append(pause_s(file, "watchdog", now))
        now += pauses[-1] + 1
    assert pauses == [*PAUSES_S, PAUSES_S[-1], PAUSES_S[-1]]


def test_a_long_life_is_forgiven(tmp_path: Path) -> None:
    """What served for a while and then fails begins with no pause again."""
    file = tmp_path / "failures"
    pause_s(file, "exit-code", 100.0)
    assert pause_s(file, "exit-code", 100.0) == PAUSES_S[1]
    assert pause_s(file, "exit-code", 102.0 + STEADY_S) == PAUSES_S[0]


def test_an_end_that_was_asked_for_waits_not(tmp_path: Path) -> None:
    """New settings, or a machine that is switched off: nobody waits, and nothing is counted."""
    assert [pause_s(tmp_path / "failures", "success", now) for now in (1.0, 2.0, 3.0)] == [0.0, 0.0, 0.0]
    assert not (tmp_path / "failures").exists()


def test_a_torn_note_counts_from_the_beginning(tmp_path: Path) -> None:
    """The machine's own troubles never keep the kiosk from starting."""
    (tmp_path / "failures").write_text("[3")
    assert pause_s(tmp_path / "failures", "signal", 5.0) == PAUSES_S[0]
