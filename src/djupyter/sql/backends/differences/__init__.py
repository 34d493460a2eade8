"""What a backend must say about itself, a part a file; `backends.base.Backend` is all of them.

```
connecting.py   engines, URLs, what is known of a connection
transacting.py  statements that begin and end transactions, and locks for defining tables
failing.py      errors of a driver
timing.py       the clock, and what workers need that share jobs
writing.py      names, values and statements on rows; the parts below stand on it
defining.py     columns, checks, defaults and indexes of a new table, and its end
altering.py     tables that become others
cataloguing.py  schemas, notes, and the catalogue read again
records.py      what passes between a backend and those who ask it
```
"""
