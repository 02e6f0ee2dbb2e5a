"""What an operator reads, in the operator's language.

Code says everything in English, and what is printed goes through `said`. Hosts, `--json`, and what programs compare
stay English. The catalogues in `locale/` are gettext's; `make messages` takes new texts into them.
"""
