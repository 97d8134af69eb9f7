"""Builds kernels and initramfs reproducibly from the distribution's packages, with a content-addressed cache."""
