"""How a job of ``recon`` ended, for the person who started it."""

from __future__ import annotations

from typing import Any

from DynamicMRIReconLib.errors import Cancelled, InputError, ReconError, ResourceError


def without_folder(event: dict[str, Any], with_kept_log: Any) -> dict[str, Any]:
    """The event as it should be told when the job folder is going to be deleted."""
    if event["event"] == "done":
        kept = {name: value for name, value in event.items() if name not in ("provenance", "output_parts")}
        return {**kept, "path": event["output"], "parts": event["output_parts"]}
    if event["event"] == "error":
        return {**event, "message": with_kept_log(event["message"])}
    return event


def note(done: dict[str, Any]) -> None:
    """Print what a ``done`` event tells."""
    if done.get("metrics"):
        from DynamicMRIReconLib.cli_evaluate import summary

        print(", ".join(summary(done["metrics"])))
    if done.get("data_consistency") is not None:
        print(f"unexplained part of the measured data: {100 * done['data_consistency']:.1f} %")
    parts = [*done["parts"].values(), *done.get("output_parts", {}).values(), *done.get("transforms", [])]
    paths = dict.fromkeys(path for path in (done["path"], done["output"], *parts) if path)
    print(f"{done['frames']} frames in {done['elapsed_s']:.1f} s -> {', '.join(paths)}. Not for diagnostic use.")


def raised(event: dict[str, Any]) -> ReconError:
    """The error that a final event stands for."""
    if event.get("event") == "cancelled":
        return Cancelled("Cancelled.")
    kinds = {"input": InputError, "resource": ResourceError}
    return kinds.get(str(event.get("kind")), ReconError)(str(event.get("message", "The worker ended unexpectedly.")))
