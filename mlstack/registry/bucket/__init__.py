"""The model store in a bucket of an object store, and its mirror in a folder of this machine."""
