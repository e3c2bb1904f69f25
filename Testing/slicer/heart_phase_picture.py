"""The picture of a real cine with its heart's phase, for the user guide."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from panel_driver import PanelDriver

SAMPLE = Path(__file__).resolve().parents[2] / "Resources" / "SampleData" / "cine_sax"
NOTE = "Real cine (Sunnybrook Cardiac Data, CC0)."


def heart_phase_picture(driver: PanelDriver, path: Path) -> Path:
    """Load the sample, press both buttons, and write the panel, a frame and the chart.

    Raises
    ------
    RuntimeError
        Nothing can be rendered on this computer, or no phase was found.
    """
    import slicer
    from DynamicMRIReconSlicer import heartPhase, sequences
    from host.window import trust_picture

    from DynamicMRIReconLib import io

    cine = sequences.fromSeries(io.read(SAMPLE), "Cine")
    driver.choose_method("cardiac-vsr")
    driver.ui.inputSelector.setCurrentNode(cine.sequence)
    driver.ui.findPhaseButton.click()
    driver.ui.showRegionsButton.click()
    marks = heartPhase.marksShown()
    if marks is None:
        raise RuntimeError(f"No heart phase: {driver.text('phaseLabel')}")
    for region in slicer.util.getNodesByClass("vtkMRMLMarkupsROINode"):
        # Without a screen, VTK draws handles in a size and place of their own.
        region.GetDisplayNode().SetHandlesInteractive(False)
    charts = slicer.util.getNodesByClass("vtkMRMLPlotChartNode")
    chart = next(one for one in charts if one.GetName() == "Heart phase")
    return trust_picture(driver.representation, path, {"Red": cine.proxy}, chart, note=NOTE)
