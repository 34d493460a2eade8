"""The condition language: what a user may write, as a small tree of our own.

```
'weight > 3 and car.make like "a%"'

Call and ─┬─ Call > ────┬─ Name weight
          │             └─ Value int        3 is taken out, to be bound
          └─ Call like ─┬─ Name car, path (make)
                        └─ Value text       a% likewise
```

`parsing` has sqlglot read the text as MySQL. Only what has a rule in `operator_rules` or
`function_rules` becomes part of the tree, and only what is in the tree reaches a database: names of
attributes, bound values, and the operations that the `forms` list. Statements, subqueries, variables,
window functions and unlisted functions have no rule and are refused. `writer` makes SQL of a tree,
one template per backend; `scalars`, `dates` and `aggregates` are what SQLite has to be taught.
"""
