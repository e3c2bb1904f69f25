"""The module's self-tests one by one, for Slicer's test runner (ctest); no network, no GPU, under three minutes.

In Slicer's Python console: ``slicer.testing.runUnitTest([FOLDER], "DynamicMRIReconSelfTests")``, or all at once by
``slicer.selfTests["DynamicMRIRecon"]()``.
"""

from __future__ import annotations

import unittest


class DynamicMRIReconSelfTests(unittest.TestCase):
    """Every check of the module's ``SelfTest`` as a test of its own."""


def _test(name: str) -> object:
    def run(self: unittest.TestCase) -> None:
        from DynamicMRIReconSlicer.selfTest import SelfTest

        from DynamicMRIRecon import DynamicMRIReconLogic

        SelfTest(DynamicMRIReconLogic()).run(name)

    return run


def _names() -> list[str]:
    from DynamicMRIReconSlicer.selfTest import SelfTest

    return SelfTest.names()


for _name in _names():
    setattr(DynamicMRIReconSelfTests, f"test_{_name}", _test(_name))
