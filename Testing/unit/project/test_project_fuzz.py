"""Some hundred broken files of every format, always the same ones; Testing/benchmarks/fuzz.py tries thousands."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.skipif(sys.platform != "linux", reason="forks, and limits memory as only Linux does")
def test_broken_files_end_in_a_sentence_or_in_the_right_data(tmp_path: Path) -> None:
    words = ["--files", "300", "--seed", "7", "--folder", str(tmp_path / "fuzz")]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, str(ROOT / "Testing" / "benchmarks" / "fuzz.py"), *words],
        capture_output=True,
        text=True,
        env=environment,
        check=False,
        timeout=1800,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    last = [int(number) for number in done.stdout.splitlines()[-1].split("|")[2:-1]]
    tried, refused, same = last[:3]
    assert tried >= 290
    assert last[4:] == [0] * 5
    assert refused > tried // 3
    assert same > 0
