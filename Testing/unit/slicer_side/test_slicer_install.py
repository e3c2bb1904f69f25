"""Packages are installed after one question, and none that Slicer brings is ever replaced."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slicer


@pytest.fixture
def requirements(tmp_path: Path) -> Path:
    path = tmp_path / "requirements.txt"
    path.write_text("# a note\nnumpy>=1\nno-such-package-a>=2.0\nno-such-package-b\n", encoding="utf-8")
    return path


@pytest.fixture
def install(slicer_application: Any, scene: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    from DynamicMRIReconSlicer import install

    monkeypatch.setattr(install, "torchMissing", lambda: False)
    return install


def test_nothing_is_asked_when_nothing_is_missing(install: Any, slicer_application: Any, tmp_path: Path) -> None:
    path = tmp_path / "requirements.txt"
    path.write_text("numpy>=1\n", encoding="utf-8")
    install.ensure(path)
    assert slicer_application.dialogs.shown == []


def test_no_means_no(install: Any, slicer_application: Any, requirements: Path) -> None:
    slicer_application.dialogs.answers = [False]
    with pytest.raises(install.NotInstalled):
        install.ensure(requirements)
    (question,) = slicer_application.dialogs.shown
    assert "no-such-package-a" in question.text
    assert "numpy" not in question.text


def test_one_question_then_pip_under_constraints(
    install: Any, slicer_application: Any, requirements: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from slicer import packaging

    calls = []

    def ensure(wanted: Any, constraints: Path, prompt_install: bool, requester: str) -> None:
        calls.append(([str(one) for one in wanted], constraints.read_text(encoding="utf-8"), prompt_install))

    monkeypatch.setattr(packaging, "pip_ensure", ensure)
    install.ensure(requirements)
    assert len(slicer_application.dialogs.of_kind("confirm")) == 1
    ((names, constraints, asks_again),) = calls
    assert names == ["no-such-package-a>=2.0", "no-such-package-b"]
    assert not asks_again
    import numpy

    assert f"numpy=={numpy.__version__}" in constraints
    assert "torch==" in constraints


def test_older_slicer_installs_one_by_one_under_constraints(
    install: Any, slicer_application: Any, requirements: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import slicer

    calls: list[list[str]] = []
    monkeypatch.setattr(slicer.util, "pip_install", lambda words: calls.append(words))
    real = install.importlib.util.find_spec
    monkeypatch.setattr(
        install.importlib.util, "find_spec", lambda name: None if name == "slicer.packaging" else real(name)
    )
    install.ensure(requirements)
    assert [call[0] for call in calls] == ["no-such-package-a>=2.0", "no-such-package-b"]
    assert all(call[1] == "--constraint" for call in calls)


def test_a_failed_installation_is_told(install: Any, requirements: Path) -> None:
    with pytest.raises(install.NotInstalled, match="could not be installed"):
        install.ensure(requirements)


def test_missing_pytorch_extension_is_told_before_anything_is_installed(
    install: Any, slicer_application: Any, requirements: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(install, "torchMissing", lambda: True)
    real = install.importlib.util.find_spec
    monkeypatch.setattr(
        install.importlib.util, "find_spec", lambda name: None if name == "PyTorchUtils" else real(name)
    )
    with pytest.raises(install.NotInstalled, match="Extensions Manager"):
        install.ensure(requirements)
    assert slicer_application.dialogs.shown == []
