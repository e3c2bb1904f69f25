"""The samples of Slicer's Sample Data: offline, in place and time, made from what they say."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from DynamicMRIReconLib import io
from DynamicMRIReconLib.audio import read_textgrid, read_wav

ROOT = Path(__file__).resolve().parents[2]
spec = importlib.util.spec_from_file_location("sample_data", ROOT / "Testing" / "sample_data.py")
assert spec is not None
assert spec.loader is not None
sample_data = importlib.util.module_from_spec(spec)
spec.loader.exec_module(sample_data)


@pytest.mark.parametrize(
    ("name", "made"), [("CineShortAxis", sample_data.cine), ("SpeakingVocalTract", sample_data.speech)]
)
def test_a_sample_is_loaded_without_any_network(slicer_host: Any, module: Any, name: str, made: Any) -> None:
    import SampleData
    from DynamicMRIReconSlicer import sampleData, sequenceReader

    sources = {one["nodeNames"]: one for one in SampleData.SampleDataLogic.sources}
    assert sources[name]["category"] == "Dynamic MRI"
    assert Path(sources[name]["thumbnailFileName"]).is_file()
    node = SampleData.downloadSample(sampleData.SAMPLES[name])
    assert node.GetName() == name
    loaded, truth = sequenceReader.toSeries(node), made()
    np.testing.assert_array_equal(loaded.array, truth.array)
    np.testing.assert_allclose(loaded.affine, truth.affine, atol=1e-3)
    np.testing.assert_allclose(loaded.times_s, truth.times_s, atol=1e-3)


def test_registering_twice_offers_them_once(slicer_host: Any, module: Any) -> None:
    import SampleData
    from DynamicMRIReconSlicer import sampleData

    count = len(SampleData.SampleDataLogic.sources)
    sampleData.register()
    assert len(SampleData.SampleDataLogic.sources) == count == len(sampleData.SAMPLES)


def test_the_sound_belongs_to_the_speaker(module: Any) -> None:
    from DynamicMRIReconSlicer import sampleData

    series = io.read(sampleData.FOLDER / "SpeakingVocalTract.seq.nrrd")
    sound, grid = read_wav(sampleData.SOUND), read_textgrid(sampleData.LABELS)
    assert sound.duration_s == pytest.approx(series.times_s[-1] + 0.02, abs=0.001)
    assert len(grid.intervals["segments"]) > 5


def test_they_stay_small(module: Any) -> None:
    from DynamicMRIReconSlicer import sampleData

    assert sum(path.stat().st_size for path in sampleData.FOLDER.iterdir()) < 1_500_000
