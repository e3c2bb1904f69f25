"""Sound recorded with a series: wav files, waveform and spectrogram on the series' time axis, Praat's labels."""

from DynamicMRIReconLib.audio.labels import LabelMeasure, measure_labels, write_labels_csv
from DynamicMRIReconLib.audio.pictures import spectrogram, waveform
from DynamicMRIReconLib.audio.textgrid import Interval, Point, TextGrid, read_textgrid, write_textgrid
from DynamicMRIReconLib.audio.wav import Recording, read_wav

__all__ = [
    "Interval",
    "LabelMeasure",
    "Point",
    "Recording",
    "TextGrid",
    "measure_labels",
    "read_textgrid",
    "read_wav",
    "spectrogram",
    "waveform",
    "write_labels_csv",
    "write_textgrid",
]
