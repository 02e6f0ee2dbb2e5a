"""What a request costs, beside what an operator would pick instead: `python -m bench.proxy`."""
