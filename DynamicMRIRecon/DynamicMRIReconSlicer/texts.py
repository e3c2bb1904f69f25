"""Longer texts shown to the user."""

from __future__ import annotations

import html

from DynamicMRIReconSlicer import methodList
from DynamicMRIReconSlicer.translation import tr as _

TITLE = "Dynamic MRI Reconstruction"
NOT_DIAGNOSTIC = _("Research software: not for diagnostic use.")
ACKNOWLEDGEMENT = _(
    "Built on 3D Slicer, PyTorch, finufft, torchkbnufft, sigpy, ISMRMRD and other open software. "
    "Please cite the methods you use; they are named in the help text and in the provenance of each result."
)
#: says it plainly wherever a simulated acquisition is shown
SIMULATED = _("k-space simulated from images")


def helpText() -> str:
    """The module's help: what it does, what it is not, and the sources of the methods.

    From the snapshot: Slicer asks for it at start-up, when nothing beyond the standard library should be imported.
    """
    rows = "".join(
        f"<li><b>{html.escape(method['title'])}</b>: {html.escape(method['description'])} "
        f"<i>{html.escape(method['citation'])}</i></li>"
        for method in methodList.fromSnapshot()
    )
    return (
        _(
            "Reconstructs dynamic MRI from k-space (ISMRMRD .h5, BART .cfl, .mat, .npz) or from a cine series into a "
            "Sequence that plays in true position and true time, and measures it with line profiles (M-mode). "
            "The reconstruction runs in a process of its own and can be cancelled at any time."
        )
        + f"<p><b>{NOT_DIAGNOSTIC}</b></p><p>{_('Methods:')}</p><ul>{rows}</ul>"
    )


def duration(seconds: float) -> str:
    """Seconds as people say them: 0.4 s, 12 s, 3 min 05 s, 1 h 02 min."""
    if seconds < 9.95:
        return f"{max(0.0, seconds):.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return _("{minutes} min {seconds:02d} s").format(minutes=whole // 60, seconds=whole % 60)
    return _("{hours} h {minutes:02d} min").format(hours=whole // 3600, minutes=whole % 3600 // 60)


def size(count: float) -> str:
    """Bytes as people say them."""
    for unit in ("B", "KiB", "MiB"):
        if count < 1024:
            return f"{count:.0f} {unit}"
        count /= 1024
    return _("{count:.1f} GiB").format(count=count)
