"""Which images, kernels and documents of its owner a unit trusts."""
