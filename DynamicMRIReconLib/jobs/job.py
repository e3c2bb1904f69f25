"""What is to be done: the job file, checked whenever it is read or written.

A job file is plain data. Opening one from a stranger runs nothing of it; running one reads the files it names and
writes into its own folder, and an ``output`` elsewhere only where nothing is replaced (see ``worker``).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError, field_validator, model_validator

from DynamicMRIReconLib.errors import InputError
from DynamicMRIReconLib.jobs import files

#: a job file is a page of text; anything larger is something else
LARGEST_FILE_BYTES = 4_000_000


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", validate_assignment=True, allow_inf_nan=False)


class InputFile(_Strict):
    """A file or folder to read.

    Attributes
    ----------
    path
        Absolute, or relative to the job folder. A ``Path`` object given for the whole entry is relative to the
        current folder and made absolute.
    sha256
        Hash of its content, see ``hashes``; None until the job has run for the first time, then kept, so that a
        repeat on changed data is refused.
    """

    path: str = Field(min_length=1)
    sha256: str | None = Field(None, pattern="^[0-9a-f]{64}$")

    @model_validator(mode="before")
    @classmethod
    def _from_path(cls, value: Any) -> Any:
        if isinstance(value, Path):
            return {"path": str(value.absolute())}
        return {"path": value} if isinstance(value, str) else value

    def resolved(self, folder: Path) -> Path:
        """The path, relative ones taken from the job folder."""
        return folder / Path(self.path).expanduser()


class ReadSettings(_Strict):
    """Options of ``DynamicMRIReconLib.io.read``, same names and meaning; None: what the file says."""

    axes: list[str] | None = None
    frames_from: str | None = None
    times_from: str | None = None
    shots_per_frame: int | None = Field(default=None, ge=1)
    dataset: str | None = None
    variable: str | None = None
    pixel_size_mm: float | None = Field(default=None, gt=0)

    @field_validator("axes", mode="before")
    @classmethod
    def _from_text(cls, value: Any) -> Any:
        return [name.strip() for name in value.split(",")] if isinstance(value, str) else value

    def given(self) -> dict[str, Any]:
        """The options that are set, as keyword arguments."""
        return {name: value for name, value in self.model_dump().items() if value is not None}


class Job(_Strict):
    """One reconstruction.

    Attributes
    ----------
    version
        Of this file format.
    method, preset, parameters
        Registry key, name of a preset, and the values put over it.
    inputs
        One k-space file or series, or several image stacks.
    read
        Options of the reader.
    trajectory, coil_maps
        Files with what the input leaves out.
    masks
        Volumes with what counts in the stacks: none, one for all, or one for each.
    reference
        Series to compare the result with.
    cardiac
        Where the heart is in the reference, for CardiacPSNR and CardiacSSIM: ``auto``, ``published`` or
        ``x0,y0,x1,y1``, see ``evaluation.cardiac.figures_by_rule``.
    simulate
        Teaching mode: the input is a series, and the k-space to reconstruct is simulated from it with these
        ``SimulationParameters``.
    frames
        First frame and the one behind the last: only these are reconstructed (of a simulated acquisition, its own).
    data_consistency
        Whether the record shall say how much of the measured data each frame leaves unexplained.
    device, seed
        ``auto``, ``cpu``, ``cuda``, ``cuda:n`` or ``mps``; the one seed of all random numbers.
    private
        No names of files in the log, the events that are kept, the record, and the result's header: see ``privacy``.
    memory_check
        Refuse the run when it needs more memory than this computer can give it; else it is only warned of.
    transforms
        Write the registration of each stack beside ``output``, as ITK transform files.
    output
        A further file to write the result to, in the format its suffix tells (``result.seq.nrrd`` holds magnitudes,
        ``.npz`` keeps complex values). Absolute, or relative to the job folder.
    """

    version: Literal[1] = 1
    method: str = Field(min_length=1)
    preset: str = "standard"
    parameters: dict[str, JsonValue] = Field(default_factory=dict)
    inputs: list[InputFile] = Field(min_length=1)
    read: ReadSettings = Field(default_factory=ReadSettings)
    trajectory: InputFile | None = None
    coil_maps: InputFile | None = None
    masks: list[InputFile] = Field(default_factory=list)
    reference: InputFile | None = None
    cardiac: str | None = Field(None, pattern=r"^(auto|published|\d+(,\d+){3})$")
    simulate: dict[str, JsonValue] | None = None
    frames: tuple[int, int] | None = None
    data_consistency: bool = False
    device: str = "auto"
    seed: int = Field(0, ge=0, le=2**63 - 1)
    private: bool = False
    memory_check: bool = True
    transforms: bool = False
    output: str | None = None

    @field_validator("output", mode="before")
    @classmethod
    def _output_from_path(cls, value: Any) -> Any:
        return str(value.absolute()) if isinstance(value, Path) else value

    def save(self, folder: str | Path) -> Path:
        """Write ``job.json`` into ``folder`` (made if missing, its parents not); gives the file's path.

        Raises
        ------
        InputError
            The folder cannot be made or written.
        """
        folder = Path(folder)
        try:
            folder.mkdir(exist_ok=True)
            files.write_json(folder / files.JOB, self.model_dump(mode="json"))
        except OSError as error:
            raise InputError(f"The job folder {folder} cannot be written: {error.strerror or error}.") from error
        return folder / files.JOB

    @classmethod
    def load(cls, folder: str | Path) -> Job:
        """Read ``job.json`` from ``folder``.

        Raises
        ------
        InputError
            There is none, or something in it is wrong: which entry, and what it must be.
        """
        path = Path(folder) / files.JOB
        try:
            if path.stat().st_size > LARGEST_FILE_BYTES:
                raise InputError(f"{path} is too large for a job file: it is something else.")
            text = path.read_bytes()
        except FileNotFoundError as error:
            raise InputError(f"{path} does not exist: name a job folder, one that holds a {files.JOB}.") from error
        except OSError as error:
            raise InputError(f"{path} cannot be read: {error.strerror or error}.") from error
        return cls.parse(text, str(path))

    @classmethod
    def parse(cls, text: str | bytes, name: str = "The job") -> Job:
        """A job from JSON text; ``name`` says in errors where it came from.

        Raises
        ------
        InputError
            Something in it is wrong: which entry, and what it must be.
        """
        try:
            return cls.model_validate_json(text)
        except ValidationError as error:
            raise InputError(f"{name} is not a valid job file: {_in_words(error)}.") from error

    @classmethod
    def of(cls, **values: Any) -> Job:
        """A job from keyword arguments, with an ``InputError`` instead of pydantic's error when one is wrong."""
        try:
            return cls(**values)
        except ValidationError as error:
            raise InputError(f"The job is not valid: {_in_words(error)}.") from error

    def all_inputs(self) -> list[InputFile]:
        """Every file the job reads."""
        return [
            *self.inputs,
            *self.masks,
            *(one for one in (self.trajectory, self.coil_maps, self.reference) if one is not None),
        ]

    def output_path(self, folder: Path) -> Path | None:
        """The further output file, relative ones taken from the job folder; None when there is none."""
        return None if self.output is None else folder / Path(self.output).expanduser()


def _in_words(error: ValidationError) -> str:
    parts = []
    for item in error.errors()[:5]:
        place = ".".join(str(step) for step in item["loc"])
        text = item["msg"][0].lower() + item["msg"][1:]
        parts.append(f"{place}: {text}" if place else text)
    return "; ".join(parts).replace("\n", " ")
