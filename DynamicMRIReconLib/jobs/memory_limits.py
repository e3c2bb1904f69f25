"""How much memory a run can have at all, and how much of it is free now: of this computer, its limits, or a GPU."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

CGROUPS = Path("/sys/fs/cgroup")
#: cgroup v1 writes a number near 2^63 where there is no limit
_UNLIMITED = 2**60


def total_bytes(device: str = "cpu") -> int | None:
    """The most that this process can ever hold on ``device``; None where nobody can tell.

    Of a GPU its memory. Else the smallest of: physical memory, the limits of the control groups (v1 and v2, as
    containers and cluster schedulers set them), and the limit of the address space (``ulimit -v``) less what of it is
    taken without being memory, such as mapped libraries.
    """
    if device.startswith("cuda"):
        return _cuda_bytes(device)[1]
    known = [limit for limit in (_physical_bytes(), _group_limit(), _address_space_limit()) if limit is not None]
    return min(known, default=None)


def free_bytes(device: str = "cpu") -> int | None:
    """What of ``total_bytes`` is free now; on the main memory also what this process holds, which it keeps using."""
    if device.startswith("cuda"):
        return _cuda_bytes(device)[0]
    try:
        import psutil
    except ImportError:
        return total_bytes(device)
    ours = int(psutil.Process().memory_info().rss)
    known = [int(psutil.virtual_memory().available) + ours]
    known += [limit - used + ours for limit, used in _groups()]
    address_space = _address_space_limit()
    return min([*known, *([address_space] if address_space is not None else [])])


def _cuda_bytes(device: str) -> tuple[int, int]:
    """Free and total memory of a GPU."""
    import torch

    free, total = torch.cuda.mem_get_info(torch.device(device))
    return int(free), int(total)


def _physical_bytes() -> int | None:
    try:
        import psutil
    except ImportError:
        with suppress(AttributeError, OSError, ValueError):
            return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
        return None
    return int(psutil.virtual_memory().total)


def _address_space_limit() -> int | None:
    try:
        import resource
    except ImportError:  # Windows
        return None
    limit = resource.getrlimit(resource.RLIMIT_AS)[0]
    if limit == resource.RLIM_INFINITY:
        return None
    with suppress(ImportError):
        import psutil

        now = psutil.Process().memory_info()
        limit -= max(0, now.vms - now.rss)
    return max(0, limit)


def _group_limit() -> int | None:
    return min((limit for limit, _ in _groups()), default=None)


def _groups() -> list[tuple[int, int]]:
    """Limit and use of each control group with a limit that this process is in, the inner ones and those around."""
    try:
        lines = Path("/proc/self/cgroup").read_text(encoding="utf-8").splitlines()
    except OSError:
        return []
    found = []
    for line in lines:
        _, controllers, name = line.split(":", 2)
        if controllers == "":
            root, names = CGROUPS, ("memory.max", "memory.current", "inactive_file")
        elif "memory" in controllers.split(","):
            root = CGROUPS / "memory"
            names = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
        else:
            continue
        place = root / name.lstrip("/")
        # within a container the path may name a group outside of what is seen: then the root is ours
        for group in [place, *place.parents]:
            if group == root.parent:
                break
            limit, used = _number(group / names[0]), _number(group / names[1])
            if limit is not None and limit < _UNLIMITED:
                found.append((limit, max(0, (used or 0) - _file_cache(group, names[2]))))
    return found


def _number(path: Path) -> int | None:
    try:
        return int(path.read_text(encoding="ascii"))
    except (OSError, ValueError):  # not there, or "max"
        return None


def _file_cache(group: Path, name: str) -> int:
    """Of what a group uses, the files that the system drops when memory is asked for."""
    with suppress(OSError, ValueError):
        for line in (group / "memory.stat").read_text(encoding="ascii").splitlines():
            key, _, value = line.partition(" ")
            if key == name:
                return int(value)
    return 0
