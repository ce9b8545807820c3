"""A campaign goes on where it was interrupted, and its sum does not depend on how it was cut into calls."""

import json
from pathlib import Path

from simulators.deterministic.campaign import Sum, campaign, shards_of
from simulators.deterministic.history import Limits

SHORT = Limits(sessions=1, kinds=(), cuts=False)


def test_shards_end_at_whole_hundreds() -> None:
    """Calls with other beginnings and ends share what they lived, and every seed is in one shard."""
    shards = list(shards_of(95, 220))
    assert shards == [(95, 5), (100, 100), (200, 100), (300, 15)]
    assert sum(count for _, count in shards) == 220


def test_what_was_lived_is_not_lived_again(tmp_path: Path) -> None:
    """A second call over the same folder finds the first one's shard, and adds what is new."""
    first = campaign(98, 2, SHORT, 1, tmp_path)
    (kept,) = tmp_path.glob("*.json")
    shard = json.loads(kept.read_text())
    assert (shard["histories"], first.histories) == (2, 2)
    kept.write_text(json.dumps({**shard, "power_cuts": 7}))
    again = campaign(98, 3, SHORT, 1, tmp_path)
    assert (again.histories, again.power_cuts) == (3, 7)
    assert len(list(tmp_path.glob("*.json"))) == 2


def test_the_last_line_names_all_figures() -> None:
    """Histories, sessions, power cuts, faults by kind, violations: what the issue asks of it."""
    whole = Sum()
    whole.add_shard(
        {**Sum().shard(), "histories": 4, "sessions": {"query_account": 48}, "cpu_s": 0.5, "broken": {"3": ["a: b"]}}
    )
    line = json.loads(whole.line(1))
    assert (line["histories"], line["sessions"], line["violations"]) == (4, 48, 1)
    assert {"power_cuts", "faults", "broken_seeds", "digest", "sessions_per_cpu_s"} <= line.keys()
