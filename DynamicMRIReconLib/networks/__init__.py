"""Network architectures: one a file, nothing but torch.nn."""
