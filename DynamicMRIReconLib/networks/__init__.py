"""Network architectures, one a file, torch.nn only."""
