"""The Register button: a job in the background, then the stacks in their new places."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import slicer

from DynamicMRIReconLib.errors import InputError, ReconError
from DynamicMRIReconSlicer import compareView, stackNodes, stackRegistration
from DynamicMRIReconSlicer.jobQueue import JobQueue
from DynamicMRIReconSlicer.translation import tr as _

#: the method that costs least: what is wanted of the job is its registration
METHOD = "bspline"
#: voxels of its volume, which nobody looks at, are so many times as large as the finest of the stacks
_COARSE = 4
#: parameters of the method's form that a registration heeds
_HEEDED = ("registration_refinements", "slice_thickness_mm", "intensity_matching")


def start(queue: JobQueue, section: Any, values: dict[str, Any], failed: Callable[[str], None], **options: Any) -> None:
    """Queue the registration of the stacks that ``section`` has; the same code and numbers as in a reconstruction.

    They are taken from where they lay before any registration, so that pressing twice does the same twice.

    Parameters
    ----------
    values
        Of the method's form; what concerns a registration is heeded.
    failed
        Called with the reason when the stacks could not be moved.
    options
        ``device``, ``seed`` and ``runOn``.

    Raises
    ------
    InputError
        A mask is empty or no mask, or a stack is under a deforming transform.
    """
    stacks, fixed = section.stacks(), section.fixed()
    source = stackNodes.read(stacks, registered=False)
    finest = min(float(image.geometry.spacing_mm.min()) for image in source.images)
    ids, fixedId = [node.GetID() for node in stacks], fixed.GetID()
    parameters = {
        **{name: values[name] for name in _HEEDED if name in values},
        "registration": "rigid",
        "fixed_stack": stacks.index(fixed) + 1,
        "field_of_view": "union",
        "voxel_size_mm": _COARSE * finest,
    }

    def move(motions: stackRegistration.Motions) -> None:
        try:
            _move(motions, ids, fixedId)
        except ReconError as error:
            failed(str(error))

    name = _("Registration of {count} stacks").format(count=len(stacks))
    queue.add(name, source, METHOD, parameters, then=move, load=stackRegistration.load, **options)


def _move(motions: stackRegistration.Motions, ids: list[str], fixedId: str) -> None:
    found = [slicer.mrmlScene.GetNodeByID(one) for one in ids]
    fixed = slicer.mrmlScene.GetNodeByID(fixedId)
    if fixed is None or any(node is None for node in found):
        raise InputError(_("A stack was removed while the stacks were registered: nothing was moved."))
    stackRegistration.apply(found, fixed, motions)
    compareView.showStacks(found)
