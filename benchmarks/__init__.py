"""How fast djupyter is: each workload beside the bare driver and beside datajoint, in one run.

```
__main__     the command line
places       where it runs: a file or a server, and what each contender needs to connect there
tables       the same tables and rows for everyone
raw          the bare driver
stores       tables with objects in stores
remote       a server of the S3 API that answers late
workloads/   what is measured, one file for each kind of work
fresh        what is measured in a process of its own
traffic      counts the statements that reach a server
big, many    10 million rows, a million objects: the memory they take
timing       runs contenders in turn
report       ratios beside the aims
```
"""
