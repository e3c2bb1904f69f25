"""Where the traceback of an unexpected failure goes when there is no job folder that stays."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
import traceback
from pathlib import Path

from DynamicMRIReconLib.jobs.failures import in_words


def log_path() -> Path:
    """A new file for the log of a failure, in the system's folder for temporary files."""
    stamp = time.strftime("%Y%m%d-%H%M%S")
    return Path(tempfile.gettempdir()) / f"dynamic-mri-recon-{stamp}-{os.getpid()}.log"


def keep_traceback(error: BaseException) -> str:
    """Write the traceback to a log file; the sentence for the user, which names it."""
    path = log_path()
    message = str(in_words(error, path))
    if str(path) in message:
        path.write_text("".join(traceback.format_exception(error)), encoding="utf-8")
    return message


def keep_log(message: str, log: Path) -> str:
    """Move the log of a job that is going to be deleted to a place that stays; the message with the new name in it."""
    if str(log) not in message or not log.is_file():
        return message
    path = log_path()
    shutil.copyfile(log, path)
    return message.replace(str(log), str(path))
