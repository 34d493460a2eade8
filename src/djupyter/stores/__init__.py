"""Bytes in object stores, through fsspec.

```
store.py      Store: put, get, list and remove; Stores: those of the settings, by name
paths.py      where an object lies: pure functions, which never lead out of a store
protocols.py  file, s3, gcs, azure and memory; what turns an entry of the settings into a filesystem
files.py      what a store does with a filesystem; local.py and s3.py where they do better
writing.py    a file that appears when it is closed, whole or not at all
failures.py   errors of the libraries to ours, without secrets
transfers.py  many transfers at once
```
"""
