"""The errors a user can meet, one class for each answer the programs give to them.

Every message is one sentence or two fit to show as it is: which file or value, what is wrong, what to do.
"""

from __future__ import annotations


class ReconError(Exception):
    """Base of all expected failures. ``kind`` is the word used in ``error`` events, ``exit_code`` the program's."""

    kind = "internal"
    exit_code = 1


class InputError(ReconError, ValueError):
    """The request or the input is at fault: exit code 2."""

    kind = "input"
    exit_code = 2


class ResourceError(ReconError, RuntimeError):
    """The computer could not do it (memory, GPU, disk): a smaller preset or another device may."""

    kind = "resource"
    exit_code = 1


class Cancelled(ReconError):
    """The user asked to stop: exit code 3."""

    kind = "cancelled"
    exit_code = 3
