"""Trained networks: files of weights with model cards, checked before use and loaded without running anything."""
