"""Readers of published file formats, one file each.

Each has a function `read(files, row, splits, form) -> (splits, class names)`. files: verified raw
files by their name in published.yaml, each an archive, a file or an unpacked folder. row: the
entry. splits: which to read, of those in the entry's `images`. form: to what images of many sizes
are resized; a reader of one size leaves that to its caller.
"""
