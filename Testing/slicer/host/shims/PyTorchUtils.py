"""``PyTorchUtils`` of the PyTorch extension: torch is there, or the test says it is not."""

from __future__ import annotations

import importlib.util
from typing import Any, ClassVar


class PyTorchUtilsLogic:
    """Remembers requests to install torch; installs nothing."""

    requests: ClassVar[list[dict[str, Any]]] = []

    @staticmethod
    def torchInstalled() -> bool:
        return importlib.util.find_spec("torch") is not None

    def installTorch(self, askConfirmation: bool = False, **details: Any) -> Any:
        self.requests.append({"askConfirmation": askConfirmation, **details})
        if not self.torchInstalled():
            return None
        import torch

        return torch
