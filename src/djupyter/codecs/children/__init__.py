"""What reads formats whose libraries a damaged file can crash: scripts of a process of its own.

`main` is started by `codecs.isolated`; it loads one of the others by its path, so that nothing of djupyter is imported.
"""
