"""The profiles of a sequence as files for R and Praat."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from DynamicMRIReconLib.errors import InputError
from DynamicMRIReconSlicer import exportFiles, lineProfile, regionCurves, sound
from DynamicMRIReconSlicer.lineProfile import LineProfiles
from DynamicMRIReconSlicer.translation import tr as _


def write(profiles: LineProfiles, sequence: Any, path: Path) -> list[Path]:
    """Write beside ``path`` for each line of ``sequence`` in the scene ``NAME.LINE.edge.csv`` and the M-mode.

    ``NAME.LINE.TextGrid`` has its turning points for Praat, ``NAME.LINE.labels.csv`` the edge label by label. Curves of
    regions go into ``NAME.regions.csv``.

    Raises
    ------
    InputError
        It has no profile, a line lies outside by now, or the files cannot be written.
    """
    from DynamicMRIReconLib.profiles.table import write_csv, write_matrix_csv, write_regions_csv

    found, regions = lineProfile.ofSequence(sequence), regionCurves.ofSequence(sequence)
    if not found and not regions:
        raise InputError(
            _("{sequence} has no line profile yet: compute one, or untick line profiles.").format(
                sequence=sequence.GetName()
            )
        )
    targets = exportFiles.profileFiles(path, [line.GetName() for line, *_rest in found])
    there = [one for paths in targets for one in paths if one.exists()]
    if there:
        raise InputError(_("{path} exists already: name another.").format(path=there[0]))
    written: list[Path] = []
    for (line, edge, marks), (edgePath, mmodePath, marksPath, labelsPath) in zip(found, targets, strict=True):
        mmode = profiles.measure(sequence, line, edge)
        written += [write_csv(mmode, edgePath), write_matrix_csv(mmode, mmodePath)]
        further = [
            sound.writeMarks(mmode, marks, profiles.sound, marksPath),
            sound.writeLabels(mmode, profiles.sound, labelsPath),
        ]
        written += [one for one in further if one is not None]
    if regions:
        images = profiles.imagesOf(sequence)
        curves = {(sequence.GetName(), one.GetName()): regionCurves.measure(images, one) for one in regions}
        written.append(write_regions_csv(curves, path.with_name(f"{path.stem}.regions.csv")))
    return written
