"""Keys of the factory server's store. For hosts: the initramfs has no package ``cryptography``."""
