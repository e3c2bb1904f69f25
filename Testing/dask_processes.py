"""A Dask scheduler and a worker as somebody else would start them, in processes on the loopback address."""

from __future__ import annotations

import datetime
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

#: nothing here is timed: a busy computer takes as long as it takes
LIMIT_S = 300


@contextmanager
def running_cluster(folder: Path, tls: dict[str, Path] | None = None) -> Iterator[str]:
    """Address of a scheduler with one worker; both are gone after the ``with`` block.

    ``tls``: ``ca-file``, ``cert`` and ``key``.
    """
    file = folder / "scheduler.json"
    words = ["--host", "127.0.0.1", "--no-dashboard"]
    for name, path in (tls or {}).items():
        words += [f"--tls-{name}", str(path)]
    if tls:
        words += ["--protocol", "tls"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "OMP_NUM_THREADS": "1"}
    programs = [
        ["distributed.cli.dask_scheduler", "--port", "0", "--scheduler-file", str(file), *words],
        ["distributed.cli.dask_worker", "--scheduler-file", str(file), "--nthreads", "1", "--no-nanny", *words],
    ]
    processes: list[subprocess.Popen[bytes]] = []
    log = folder / "cluster.log"
    with log.open("wb") as output:
        try:
            for program in programs:
                command = [sys.executable, "-m", *program]
                processes.append(subprocess.Popen(command, env=environment, stdout=output, stderr=output, cwd=folder))
                _until(lambda: file.is_file() and file.stat().st_size > 0, log)
            _until(lambda: b"Registered to:" in log.read_bytes(), log)
            line = next(one for one in log.read_text().splitlines() if "Registered to:" in one)
            yield line.split()[-1]
        finally:
            for process in reversed(processes):
                process.terminate()
            for process in processes:
                with suppress(subprocess.TimeoutExpired):
                    process.wait(10)
                process.kill()
                process.wait()


def certificates(folder: Path) -> dict[str, Path]:
    """A certificate authority's file, a certificate that it signed, and its key."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    now = datetime.datetime.now(datetime.UTC)
    keys = [ec.generate_private_key(ec.SECP256R1()) for _ in range(2)]
    names = [x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text)]) for text in ("authority", "cluster")]
    found = {}
    for index, file in enumerate(("ca-file", "cert")):
        builder = (
            x509.CertificateBuilder()
            .subject_name(names[index])
            .issuer_name(names[0])
            .public_key(keys[index].public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(hours=1))
            .not_valid_after(now + datetime.timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=index == 0, path_length=None), critical=True)
        )
        found[file] = folder / f"{file}.pem"
        signed = builder.sign(keys[0], hashes.SHA256())
        found[file].write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    found["key"] = folder / "key.pem"
    found["key"].write_bytes(
        keys[1].private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return found


def _until(condition: object, log: Path) -> None:
    end = time.monotonic() + LIMIT_S
    while time.monotonic() < end:
        if callable(condition) and condition():
            return
        time.sleep(0.05)
    raise AssertionError(log.read_text())
