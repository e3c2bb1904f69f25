"""``SampleData``: keeps what modules register, and loads it through a cache as Slicer does, without a network."""

from __future__ import annotations

import hashlib
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any, ClassVar

import slicer


class SampleDataLogic:
    """Registered sources, by category."""

    sources: ClassVar[list[dict[str, Any]]] = []

    @staticmethod
    def registerCustomSampleDataSource(
        category: str = "Custom",
        sampleName: Any = None,
        uris: Any = None,
        fileNames: Any = None,
        nodeNames: Any = None,
        customDownloader: Any = None,
        thumbnailFileName: Any = None,
        loadFileType: Any = "VolumeFile",
        loadFiles: Any = None,
        loadFileProperties: Any = None,
        checksums: Any = None,
    ) -> None:
        source = {**locals()}
        if source not in SampleDataLogic.sources:
            SampleDataLogic.sources.append(source)

    def downloadSamples(self, name: str) -> list[Any]:
        source = next(one for one in self.sources if one["sampleName"] == name)
        url = urllib.parse.urlparse(source["uris"])
        assert url.scheme == "file", f"{source['uris']} would be downloaded"
        cache = Path(slicer.mrmlScene.GetCacheManager().GetRemoteCacheDirectory())
        path = cache / source["fileNames"]
        content = Path(urllib.request.url2pathname(url.path)).read_bytes()
        assert source["checksums"] == f"SHA256:{hashlib.sha256(content).hexdigest()}"
        path.write_bytes(content)
        node = slicer.util.loadNodeFromFile(str(path), source["loadFileType"])
        node.SetName(source["nodeNames"])
        return [node]


def downloadSample(name: str) -> Any:
    """The first node of a sample."""
    return SampleDataLogic().downloadSamples(name)[0]
