"""Several turns read as one talk."""

from bot.understanding import Assessment, Reading, Understander


def read(reader: Understander, *turns: str) -> tuple[Assessment, Reading]:
    """All that is known after the last turn, and what that turn told."""
    assessment = Assessment()
    for turn in turns:
        reading = reader.read(turn, assessment)
        assessment = assessment.take_in(reading)
    return assessment, reading
