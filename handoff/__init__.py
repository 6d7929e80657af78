"""From case to counselor: the case, its summary, the queue, the console and the interface for staff systems."""
