"""Scripted residents who talk with the real product: what they write, what is answered, and the rules of a talk."""
