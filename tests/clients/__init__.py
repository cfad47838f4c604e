"""Clients that others' generators make of the document, used on a running system."""
