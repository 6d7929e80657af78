"""Faults made on purpose: a service that can be killed, traffic that goes on meanwhile, and the audit."""
