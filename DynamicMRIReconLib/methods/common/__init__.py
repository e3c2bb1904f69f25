"""What several methods share: slices, blocks of frames, coil maps, density weights, scale, estimates."""
