"""The guide's machinery: what MkDocs checks on top of its own, and the reference pages that are made from the code."""
