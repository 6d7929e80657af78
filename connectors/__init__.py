"""The ways in and out: LINE, the web widget, the inbox and the outbox."""
