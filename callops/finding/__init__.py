"""Calls of the past, found by what people remember: a part of a number, an id, words that were said, what became."""
