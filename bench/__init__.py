"""How long a deploy takes, beside what an operator would pick instead: `python -m bench.deploy`."""
