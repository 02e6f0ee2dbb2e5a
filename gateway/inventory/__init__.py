"""The entry of a site as frozen models, and its values."""
