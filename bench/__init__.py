"""The bench: what the product costs, beside its peers and its limits in the same run. `python -m bench`."""
