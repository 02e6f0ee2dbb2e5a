"""Certificates and keys: judged, ordered, converted, stored."""
