"""The life of a TCP connection, situation by situation: each file plays one fact and tells what the wire must carry."""

from __future__ import annotations

from pathlib import Path

import pytest

from wireside.out.headless import play
from wireside.scenario.load import load

FOLDER = Path(__file__).parent
FILES = sorted(FOLDER.glob("*.yaml"))


def broken(path: Path) -> list[str]:
    """What a scenario promised and did not keep."""
    outcome = play(load(path))
    found = [f"{each.that}: {each.value}" for each in outcome.results if each.holds is not True]
    for host in outcome.end.hosts:
        found += [f"{host.name}: {row.unmet}" for row in host.programs if row.unmet]
    return found


def test_there_is_one_for_each_state_and_timer() -> None:
    assert len(FILES) >= 30


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_it_goes_as_on_a_real_machine(path: Path) -> None:
    assert broken(path) == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_it_is_a_script_with_a_transcript(path: Path) -> None:
    scenario = load(path)
    assert any(each.transcript for each in scenario.expect)
    assert scenario.programs
    assert all(program.script for program in scenario.programs)


@pytest.mark.parametrize(
    ("name", "line", "wrong", "told"),
    [
        ("syn-to-a-black-hole", "5 client >", "6 client >", "is not 5.999000 to 6."),
        ("closed-port", "ack 1, win 0", "ack 1, win 512", "win is 0, not 512"),
        ("active-close", "Flags [F.], seq 1, ack 1", "Flags [R.], seq 1, ack 1", "flags is F., not R."),
        ("keepalive", "[R.], seq 1, ack 1, length 0\n      end", "[R.]\n      +1 peer > host: Flags [.]", "nothing more came"),
        ("nodelay", "seq 201:301", "seq 201:301, lost", "lost is carried, not lost"),
        ("abort-on-overflow", "\n      +0 host > peer:40003: Flags [R], seq 1, length 0", "", "no frame was to follow"),
    ],
)  # fmt: skip
def test_a_wrong_transcript_fails_and_says_where(
    tmp_path: Path, name: str, line: str, wrong: str, told: str
) -> None:
    text = (FOLDER / f"{name}.yaml").read_text(encoding="utf-8")
    assert line in text
    path = tmp_path / "wrong.yaml"
    path.write_text(text.replace(line, wrong), encoding="utf-8")
    (failure,) = (each for each in broken(path) if each.startswith("wire "))
    assert told in failure
    assert f"{path}:" in failure
    assert "came    >" in failure
