"""The computers of a batch: worker processes on this one, or a Dask scheduler that runs already.

Nothing is contacted but a scheduler whose address the user gave. The scheduler on this computer listens on the loopback
address only, without a dashboard, and talks TLS with keys made for it, so that other users of the computer have no
way in.
"""

from __future__ import annotations

import logging
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from DynamicMRIReconLib.errors import InputError, ResourceError

LOOPBACK = "127.0.0.1"
INSTALL = "pip install 'dynamic-mri-recon[cluster]'"
_PRELOAD = "DynamicMRIReconLib.batch.worker_process"
#: seconds that a scheduler has to answer
CONNECT_S = 20


@dataclass(frozen=True)
class Tls:
    """Files for a ``tls://`` scheduler, in PEM form; empty ones: what Dask's own settings say."""

    ca_file: str = ""
    cert: str = ""
    key: str = ""


def need_dask() -> None:
    """See that Dask is installed.

    Raises
    ------
    InputError
        It is not.
    """
    try:
        import distributed  # noqa: F401
    except ImportError as error:
        raise InputError(
            f"Dask is not installed: {INSTALL}, or run the rows one after the other with --local."
        ) from error


def gpus() -> int:
    """Number of NVIDIA GPUs that this process may use, without importing torch."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is not None:
        return len([name for name in visible.split(",") if name.strip() not in ("", "-1")])
    program = shutil.which("nvidia-smi")
    if program is None:
        return 0
    found = subprocess.run([program, "-L"], capture_output=True, text=True, check=False)
    return sum(line.startswith("GPU ") for line in found.stdout.splitlines())


@contextmanager
def local_client(workers: int, log: Path) -> Iterator[Any]:
    """A Dask client with ``workers`` worker processes on this computer, one row each, gone after the ``with`` block.

    The first workers have a GPU each, as long as there are some: Dask's resource ``GPU``. What Dask has to say goes to
    the file ``log``.

    Raises
    ------
    ResourceError
        The processes do not start.
    """
    import dask
    from distributed import Client, Nanny, Scheduler, SpecCluster
    from distributed.security import Security

    security = Security.temporary()
    with ExitStack() as stack:
        stack.enter_context(_dask_log(log))
        stack.enter_context(dask.config.set(_quiet_config()))
        space = stack.enter_context(
            tempfile.TemporaryDirectory(prefix="dynamic-mri-recon-", ignore_cleanup_errors=True)
        )
        common = {"host": LOOPBACK, "protocol": "tls://", "security": security}
        http = {"dashboard": False, "dashboard_address": f"{LOOPBACK}:0"}
        scheduler = {"cls": Scheduler, "options": {**common, **http}}
        options = {**common, **http, "nthreads": 1, "memory_limit": 0, "local_directory": space, "preload": [_PRELOAD]}
        specifications = {i: {"cls": Nanny, "options": {**options, **_gpu_of(i)}} for i in range(workers)}
        try:
            cluster = stack.enter_context(
                SpecCluster(workers=specifications, scheduler=scheduler, security=security, silence_logs=False)
            )
            client = stack.enter_context(Client(cluster, security=security, set_as_default=False))
        except (OSError, RuntimeError, TimeoutError) as error:
            raise ResourceError(f"The worker processes did not start ({error}): see {log}, or use --local.") from error
        yield client


@contextmanager
def scheduler_client(address: str, tls: Tls, log: Path) -> Iterator[Any]:
    """A client of the scheduler at ``address``, such as ``tcp://host:8786`` or ``tls://host:8786``.

    Raises
    ------
    InputError
        The address or a TLS file is none, or nobody answers.
    """
    from distributed import Client

    if not address.startswith(("tcp://", "tls://")):
        raise InputError(f"{address} is no scheduler's address: write tcp://host:8786 or tls://host:8786.")
    with _dask_log(log):
        try:
            client = Client(address, security=_security(address, tls), timeout=CONNECT_S, set_as_default=False)
        except (OSError, ValueError, TimeoutError, RuntimeError) as error:
            raise InputError(
                f"No Dask scheduler answers at {address} ({str(error) or type(error).__name__}): check the address, "
                "that it runs, and the TLS files."
            ) from error
        with client:
            yield client


def _security(address: str, tls: Tls) -> Any:
    """What the client identifies itself with; None without TLS."""
    from distributed.security import Security

    for name, path in (("--tls-ca-file", tls.ca_file), ("--tls-cert", tls.cert), ("--tls-key", tls.key)):
        if path and not Path(path).is_file():
            raise InputError(f"{name} {path} does not exist: check the name.")
        if path and not address.startswith("tls://"):
            raise InputError(f"{name} goes with an address that begins with tls://; {address} does not.")
    if not address.startswith("tls://"):
        return None
    given = {"tls_ca_file": tls.ca_file, "tls_client_cert": tls.cert, "tls_client_key": tls.key}
    return Security(require_encryption=True, **{name: path for name, path in given.items() if path})


def _gpu_of(index: int) -> dict[str, Any]:
    """Options of the worker ``index``: the first ones get a GPU each, the others see none."""
    count = gpus()
    if count == 0:
        return {}
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    names = visible.split(",") if visible else [str(number) for number in range(count)]
    if index >= count:
        return {"env": {"CUDA_VISIBLE_DEVICES": ""}}
    return {"env": {"CUDA_VISIBLE_DEVICES": names[index].strip()}, "resources": {"GPU": 1}}


def _quiet_config() -> Mapping[str, Any]:
    return {
        # The rows' processes shall find the environment that ``recon`` finds: Dask would set one thread for each.
        "distributed.nanny.pre-spawn-environ": {"DASK_LOGGING__DISTRIBUTED": "critical"},
        # Nobody looks at the pages of state that scheduler and workers would serve.
        "distributed.scheduler.http.routes": [],
        "distributed.worker.http.routes": [],
        # A worker that is killed from outside is no reason to give a row up.
        "distributed.scheduler.allowed-failures": 10,
    }


@contextmanager
def _dask_log(path: Path) -> Iterator[None]:
    """Dask's warnings go to a file instead of between our lines."""
    import distributed  # noqa: F401  its handlers are set up with it

    logger = logging.getLogger("distributed")
    handlers, propagate, level = list(logger.handlers), logger.propagate, logger.level
    handler = logging.FileHandler(path, encoding="utf-8", delay=True)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logger.handlers, logger.propagate = [handler], False
    logger.setLevel(logging.WARNING)
    try:
        yield
    finally:
        logger.handlers, logger.propagate = handlers, propagate
        logger.setLevel(level)
        handler.close()
