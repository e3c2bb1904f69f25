"""What the tests of files that lie have in common."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from DynamicMRIReconLib import io
from DynamicMRIReconLib.data import ImageSeries
from DynamicMRIReconLib.errors import InputError

SERIES = ImageSeries(np.ones((2, 1, 4, 5), np.float32), np.eye(4), np.array([0.0, 0.1]))


def refused(path: Path, **options: Any) -> str:
    with pytest.raises(InputError) as caught:
        io.read(path, **options)
    assert path.name[:100] in str(caught.value)
    return str(caught.value)
