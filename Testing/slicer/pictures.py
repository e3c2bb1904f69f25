"""Pictures of the panel with a result loaded, drawn offscreen by the test host.

python Testing/slicer/pictures.py --output docs/pictures            # simulates and reconstructs a beating heart
python Testing/slicer/pictures.py --tutorials docs/pictures         # does both tutorials, minutes
python Testing/slicer/pictures.py --demo demo-output                # the demo's cg-sense result
python Testing/slicer/pictures.py --result X.seq.nrrd --line "r,a,s r,a,s" --output OUT.png [--input SCAN]
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from panel_driver import PanelDriver

HERE = Path(__file__).resolve().parent
Point = tuple[float, float, float]
Line = tuple[Point, Point]
FRAMES, SIZE, COILS, SPOKES = 24, 128, 8, 25
#: ends of the line across the phantom's left ventricle, as parts of the image's width and height
HEART_LINE_XY = ((0.47, 0.325), (0.80, 0.492))
PHANTOM = "Simulated heart, simulated acquisition."
DEMO = "Real cine (Sunnybrook Cardiac Data, CC0), SIMULATED acquisition."
DESCRIBE_TIMEOUT_S = 600.0


def _start() -> Any:
    """The host with the module loaded (once a process)."""
    os.environ["QT_QPA_PLATFORM"] = "offscreen"
    os.environ.pop("DISPLAY", None)
    for folder in (HERE, HERE.parents[1]):
        if str(folder) not in sys.path:
            sys.path.insert(0, str(folder))
    import host

    application = host.start()
    if "DynamicMRIRecon" not in application.app.modules:
        from panel_driver import MODULE_FILE

        application.load_module(MODULE_FILE)
    return application


def make_panel_picture(
    result_path: Path,
    output_png: Path,
    *,
    input_path: Path | None = None,
    line_ras_mm: Line | None = None,
    elapsed_s: float = 0.0,
    note: str = "",
) -> Path:
    """Write a picture of the panel and the views with ``result_path`` (``.seq.nrrd`` of a finished job) loaded.

    Parameters
    ----------
    input_path
        The scan it was made from, shown as the panel's input.
    line_ras_mm
        Two ends (R, A, S) in mm; a line profile along it is computed and shown.
    elapsed_s
        What the reconstruction took, for the list of results.
    note
        Written below the picture: where the data come from.

    Raises
    ------
    RuntimeError
        If nothing can be rendered on this computer; says what is missing.
    """
    application = _start()
    from panel_driver import PanelDriver

    application.clear_scene()
    driver = PanelDriver(application)
    try:
        if input_path is not None:
            driver.type_path(Path(input_path))
        sequence = _load(driver, Path(result_path), input_path, elapsed_s)
        if input_path is not None:
            driver.wait(lambda: "Looking into" not in driver.text("infoLabel"), DESCRIBE_TIMEOUT_S)
        return _picture(driver, sequence, line_ras_mm, Path(output_png), note=note)
    finally:
        driver.close()


def _load(driver: PanelDriver, path: Path, input_path: Path | None, elapsed_s: float) -> Any:
    """The result file through the module's own loader, as after a run."""
    from DynamicMRIReconSlicer.jobFolder import Request
    from DynamicMRIReconSlicer.results import loadResult

    from DynamicMRIReconLib import io
    from DynamicMRIReconLib.jobs import files
    from DynamicMRIReconLib.methods import registry

    record = io.read(path).metadata.get("provenance") or {}
    method = str(record.get("method") or path.name.split(".")[0])
    request = Request(source=input_path or path, method=method, name=path.name.split(".")[0])
    with tempfile.TemporaryDirectory() as folder:
        shutil.copyfile(path, Path(folder) / files.RESULT)
        files.write_json(Path(folder) / files.PROVENANCE, record)
        result = loadResult(request, Path(folder), {"event": "done", "elapsed_s": elapsed_s}, [])
    if method in registry.all_methods():
        driver.choose_method(method)
    panel = driver.widget.panel
    panel.results.refresh(select=result.sequence)
    panel.results.show(result.sequence)
    panel.profile.setSequence(result.sequence)
    return result.sequence


def _picture(
    driver: PanelDriver,
    sequence: Any,
    line_ras_mm: Line | None,
    path: Path,
    *,
    note: str,
    views_path: Path | None = None,
) -> Path:
    import slicer
    import vtk
    from host.window import window_picture

    browser = slicer.modules.sequences.logic().GetFirstBrowserNodeForSequenceNode(sequence)
    browser.SetSelectedItemNumber(browser.GetNumberOfItems() // 3)
    proxy = browser.GetProxyNode(sequence)
    if line_ras_mm is None:
        return window_picture(driver.representation, path, volume=proxy, note=note)
    line = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLMarkupsLineNode", "Profile line")
    line.CreateDefaultDisplayNodes()
    for point in line_ras_mm:
        line.AddControlPointWorld(vtk.vtkVector3d(*point), "")
    line.GetDisplayNode().SetPointLabelsVisibility(False)
    driver.ui.profileLineSelector.setCurrentNode(line)
    profile = driver.widget.panel.profile.compute()
    if profile is None:
        raise RuntimeError(f"No profile along the line: {driver.text('profileLabel')}")
    shown = {"volume": proxy, "mmode_volume": profile.volume, "chart": profile.edgeChart, "note": note}
    if views_path is not None:
        window_picture(None, views_path, **shown)
    return window_picture(driver.representation, path, **shown)


def make_documentation_pictures(folder: Path) -> list[Path]:
    """The panel empty, loaded, running, failed, finished and narrow, and the views: a simulated heart, for real.

    ``panel-empty``, ``panel-loaded``, ``panel-running``, ``panel-failed``, ``panel-result``, ``panel-narrow``,
    ``views-result`` and, of a real cine, ``panel-heart-phase``, all ``.png``.
    """
    folder = folder.absolute()
    application = _start()
    from heart_phase_picture import heart_phase_picture
    from host import compose
    from panel_driver import PanelDriver

    application.clear_scene()
    driver = PanelDriver(application)

    def panel(name: str, width: int = 520) -> Path:
        return compose.save(compose.grab(driver.representation, width), folder / f"panel-{name}.png")

    try:
        written = [panel("empty")]
        # a relative path, so that the picture does not show this computer's folders
        with tempfile.TemporaryDirectory() as scratch, contextlib.chdir(scratch):
            scan, line = _simulate_heart(Path())
            driver.open_scan(scan)
            driver.wait(lambda: "Looking into" not in driver.text("infoLabel"), DESCRIBE_TIMEOUT_S)
            written.append(panel("loaded"))
            driver.choose_method("cg-sense")
            driver.press_reconstruct()
            driver.choose_method("gridding")
            driver.press_reconstruct()
            driver.wait(lambda: not driver.ui.previewLabel.isHidden(), DESCRIBE_TIMEOUT_S)
            written.append(panel("running"))
            driver.widget.panel.queue.forget()
            driver.wait_for_end()
            sequence = driver.widget.panel.results.current()
            # A scan that is cut short behind the panel's back.
            content = scan.read_bytes()
            scan.write_bytes(content[: len(content) // 2])
            driver.press_reconstruct()
            driver.wait_for_end()
            written.append(panel("failed"))
            scan.write_bytes(content)
            driver.choose_method("cg-sense")
            driver.widget.panel.runSection.end({"event": "done", "elapsed_s": _seconds(sequence)})
            driver.widget.panel.runSection.setError(None)
            result, views = folder / "panel-result.png", folder / "views-result.png"
            _picture(driver, sequence, line, result, note=PHANTOM, views_path=views)
            written += [result, views, panel("narrow", 400)]
        application.clear_scene()
        written.append(heart_phase_picture(driver, folder / "panel-heart-phase.png"))
    finally:
        driver.close()
    return written


def _seconds(sequence: Any) -> float:
    return float(json.loads(sequence.GetAttribute("DynamicMRIRecon.History"))["seconds"])


def make_tutorial_pictures(folder: Path) -> list[Path]:
    """The pictures of both tutorials, by doing what their pages say."""
    folder = folder.absolute()
    application = _start()
    import tutorials
    from panel_driver import PanelDriver

    written: list[Path] = []
    for name in tutorials.STEPS:
        application.clear_scene()
        driver = PanelDriver(application)
        try:
            with tempfile.TemporaryDirectory() as scratch, contextlib.chdir(scratch):
                written += tutorials.run(driver, name, Path(scratch), folder)
        finally:
            driver.close()
    return written


def _simulate_heart(folder: Path) -> tuple[Path, Line]:
    from DynamicMRIReconLib import io, phantoms
    from DynamicMRIReconLib.acquisition.simulate import SimulationParameters, simulate

    parameters = SimulationParameters(
        trajectory="radial", shots=SPOKES, coils=COILS, noise=0.01, frames=FRAMES, matrix=SIZE, seed=0
    )
    kspace, _ = simulate(phantoms.get("heart"), parameters)
    ends = [kspace.geometry.to_ras((x * SIZE, y * SIZE, 0.0)) for x, y in HEART_LINE_XY]
    first, second = (tuple(float(v) for v in end) for end in ends)
    return io.write(folder / "heart.h5", kspace), (first, second)  # type: ignore[return-value]


def parse_line(text: str) -> Line:
    """``"r,a,s r,a,s"`` in mm as two points."""
    points = [tuple(float(v) for v in part.split(",")) for part in text.split()]
    if len(points) != 2 or any(len(point) != 3 for point in points):
        raise argparse.ArgumentTypeError('a line is "r,a,s r,a,s" in mm')
    return points[0], points[1]  # type: ignore[return-value]


def _demo_picture(folder: Path) -> Path:
    figures = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    row = next(row for row in figures["rows"] if row["name"] == "cg-sense")
    line = tuple(tuple(float(v) for v in end) for end in figures["line_ras_mm"])
    return make_panel_picture(
        folder / "cg-sense.seq.nrrd",
        folder / "panel.png",
        input_path=folder / "acquisition.h5",
        line_ras_mm=line,  # type: ignore[arg-type]
        elapsed_s=float(row.get("seconds") or 0.0),
        note=DEMO,
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line; returns the exit code."""
    parser = argparse.ArgumentParser(description="Draw the panel with a result loaded, without a display.")
    parser.add_argument("--output", type=Path, help="folder of the documentation's pictures; with --result a PNG file")
    parser.add_argument("--tutorials", type=Path, help="folder of the tutorials' pictures")
    parser.add_argument("--demo", type=Path, help="folder that the demo wrote; panel.png is added to it")
    parser.add_argument("--result", type=Path, help="result of a job, .seq.nrrd")
    parser.add_argument("--input", type=Path, help="the scan that the result was made from")
    parser.add_argument("--line", type=parse_line, help='ends of the profile line: "r,a,s r,a,s" in mm')
    options = parser.parse_args(arguments)
    if options.demo is not None:
        written = [_demo_picture(options.demo)]
    elif options.tutorials is not None:
        written = make_tutorial_pictures(options.tutorials)
    elif options.output is None:
        parser.error("--output, --tutorials or --demo is needed")
    elif options.result is not None:
        written = [
            make_panel_picture(options.result, options.output, input_path=options.input, line_ras_mm=options.line)
        ]
    else:
        written = make_documentation_pictures(options.output)
    sys.stdout.writelines(f"{path}\n" for path in written)
    return 0


if __name__ == "__main__":
    sys.exit(main())
