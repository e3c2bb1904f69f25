"""Trained networks: files of weights with model cards, checked before use and loaded without running anything.

>>> from DynamicMRIReconLib import models
>>> model = models.load("miccan-speech", network="miccan", device="cpu")
>>> models.card_warnings(model.card, {"matrix": 84})
"""

from DynamicMRIReconLib.models.card import ModelCard, card_warnings
from DynamicMRIReconLib.models.files import LoadedModel, load
from DynamicMRIReconLib.models.places import shipped

__all__ = ["LoadedModel", "ModelCard", "card_warnings", "load", "shipped"]
