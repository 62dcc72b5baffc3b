"""Typed rows from documents: fields that an owner describes, each value with its page and quote, checked."""
