"""Events: what is written is read, however the bytes are cut."""

from __future__ import annotations

import io
import itertools
import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from DynamicMRIReconLib.jobs import events
from DynamicMRIReconLib.jobs.events import EventReader, EventWriter, final_event, read_events
from DynamicMRIReconLib.jobs.progress import RemainingTime

EVENTS = [
    {"event": "started", "method": "grün \u2028 \U0001f600"},
    {"event": "progress", "fraction": 0.25, "remaining_s": None},
    {"event": "done", "path": "a\nb"},
]


@given(cuts=st.lists(st.integers(0, 300), max_size=12), ascii_only=st.booleans())
def test_reader_gives_the_same_events_for_every_way_to_cut(cuts: list[int], ascii_only: bool) -> None:
    data = b"".join(json.dumps(e, ensure_ascii=ascii_only).encode() + b"\n" for e in EVENTS)
    places = sorted({0, len(data), *(min(c, len(data)) for c in cuts)})
    reader = EventReader()
    found = [e for a, b in itertools.pairwise(places) for e in reader.feed(data[a:b])]
    assert found + reader.finish() == EVENTS


def test_reader_leaves_out_what_is_no_event() -> None:
    reader = EventReader()
    data = (
        b'hello\n[1]\n{"a": 1}\n{"event": 5}\n\xff\xfe\n\n{"event": "done"}\r\n' + b"[" * 100_000 + b'\n{"event": "x"}'
    )
    assert reader.feed(data) == [{"event": "done"}]
    assert reader.finish() == [{"event": "x"}]


def test_reader_forgets_an_endless_line_and_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "LONGEST_LINE", 100)
    reader = EventReader()
    assert reader.feed(b"x" * 200) == []
    assert reader.feed(b"y" * 10) == []
    assert reader.feed(b'z\n{"event": "done"}\n') == [{"event": "done"}]


def test_writer_appends_echoes_and_tells_the_listener(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_text('{"event": "started"}\n', encoding="utf-8")
    echo, heard = io.StringIO(), []
    with EventWriter(path, echo, heard.append) as writer:
        writer.emit("warning", message="Größe")
        assert read_events(path)[-1] == {"event": "warning", "message": "Größe"}, "not flushed"
    assert [e["event"] for e in read_events(path)] == ["started", "warning"]
    assert json.loads(echo.getvalue()) == heard[0] == {"event": "warning", "message": "Größe"}


def test_writer_keeps_the_file_complete_when_nobody_listens(tmp_path: Path) -> None:
    class Closed(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    with EventWriter(tmp_path / "e", Closed()) as writer:
        with pytest.raises(BrokenPipeError):
            writer.emit("started")
        writer.emit("cancelled")
    assert [e["event"] for e in read_events(tmp_path / "e")] == ["started", "cancelled"]


def test_final_event() -> None:
    assert final_event(EVENTS) == EVENTS[-1]
    assert final_event(EVENTS[:2]) is None


def test_reading_a_missing_file_gives_no_events(tmp_path: Path) -> None:
    assert read_events(tmp_path / "none") == []


def test_what_the_panel_imports_needs_only_the_standard_library() -> None:
    code = (
        "import sys, DynamicMRIReconLib.jobs.local, DynamicMRIReconLib.jobs.events\n"
        "print([m for m in ('pydantic', 'psutil', 'numpy', 'torch', 'tqdm') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_remaining_time_is_right_for_steady_progress() -> None:
    clock = RemainingTime(100.0, guess_s=50.0)
    assert clock.update(0.1, 100.0) == 50.0
    for i in range(1, 5):
        left = clock.update(0.1 + 0.1 * i, 100.0 + 2.0 * i)
    assert left == pytest.approx(2.0 * 5)
    assert clock.update(0.5, 109.0) == pytest.approx(9.0), "time passes between steps"
    assert clock.update(1.0, 110.0) == 0.0


def test_remaining_time_forgets_a_slow_start_and_says_nothing_ends_at_once_that_takes_long() -> None:
    clock = RemainingTime(0.0)
    assert clock.update(0.0, 0.0) is None
    clock.update(0.01, 60.0)
    for i in range(1, 21):
        left = clock.update(0.01 + 0.02 * i, 60.0 + 0.1 * i)
    assert left == pytest.approx((1 - 0.41) / 0.02 * 0.1, rel=0.05)
    assert clock.update(0.41, 1000.0) == pytest.approx((1 - 0.41) / 0.41 * 1000), "overdue: the mean since the start"


def test_remaining_time_is_unknown_once_a_guess_is_overrun() -> None:
    clock = RemainingTime(0.0, guess_s=5.0)
    assert clock.update(0.1, 1.0) == 4.0
    assert clock.update(0.1, 6.0) is None
