"""The tables of a notebook as a Python module: what `%dj_module` writes.

| file        | does                                                                                     |
|-------------|------------------------------------------------------------------------------------------|
| `names.py`  | says which names a piece of Python needs, at once or when its functions are called       |
| `cells.py`  | finds in the cells of a notebook what binds a name: an import, a function, an assignment  |
| `tables.py` | writes a table as a class, from its `%%dj_table` cell or from its class statement        |
| `writing.py`| puts all that in an order in which it can be executed                                    |
"""
