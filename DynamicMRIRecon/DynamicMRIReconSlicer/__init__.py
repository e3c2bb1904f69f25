"""The parts of the Slicer module, one file each. Only this package knows Qt and MRML."""
