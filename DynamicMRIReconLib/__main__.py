"""``python -m DynamicMRIReconLib`` is the command line ``dynamic-mri-recon``."""

import sys

from DynamicMRIReconLib.cli import main

if __name__ == "__main__":
    sys.exit(main())
