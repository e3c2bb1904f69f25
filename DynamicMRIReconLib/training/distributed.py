"""Several processes that train one network: ``torchrun`` starts them, this joins them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
import torch.distributed as dist
from torch import Tensor, nn

from DynamicMRIReconLib.errors import InputError


@dataclass(frozen=True)
class Group:
    """This process's place among those that train together.

    Attributes
    ----------
    rank, size
        Number of this process, from 0, and how many there are.
    device
        torch device of this process.
    """

    rank: int
    size: int
    device: str

    @property
    def is_main(self) -> bool:
        """True in the one process that writes files and talks."""
        return self.rank == 0

    def wrap(self, network: nn.Module) -> nn.Module:
        """``network`` so that its gradients are averaged over all processes."""
        if self.size == 1:
            return network
        ids = [torch.device(self.device)] if self.device.startswith("cuda") else None
        return nn.parallel.DistributedDataParallel(network, device_ids=ids)

    def sum(self, values: Tensor) -> Tensor:
        """``values`` summed over the processes."""
        if self.size > 1:
            dist.all_reduce(values)
        return values

    def wait(self) -> None:
        """Return when every process has come here."""
        self.sum(torch.zeros(1, device=self.device))


@contextmanager
def joined(device: str) -> Iterator[Group]:
    """The group that ``torchrun`` started this process in; a group of one without it.

    NCCL is used on CUDA devices, one a process, gloo otherwise.

    Raises
    ------
    InputError
        If there are more processes than CUDA devices.
    """
    size = int(os.environ.get("WORLD_SIZE", "1"))
    if size == 1:
        yield Group(0, 1, device)
        return
    rank, local = int(os.environ["RANK"]), int(os.environ.get("LOCAL_RANK", "0"))
    if device.startswith("cuda"):
        if local >= torch.cuda.device_count():
            raise InputError(
                f"torchrun started more processes than the {torch.cuda.device_count()} GPUs of this computer: "
                "lower --nproc-per-node."
            )
        device = f"cuda:{local}"
        torch.cuda.set_device(local)
    dist.init_process_group("nccl" if device.startswith("cuda") else "gloo")
    try:
        yield Group(rank, size, device)
    finally:
        dist.destroy_process_group()
