"""How close a series is to a reference: PSNR, SSIM, NRMSE, in whole frames and where something moves."""

from DynamicMRIReconLib.evaluation.data_consistency import data_consistency
from DynamicMRIReconLib.evaluation.evaluate import evaluate, means
from DynamicMRIReconLib.evaluation.report import report

__all__ = ["data_consistency", "evaluate", "means", "report"]
