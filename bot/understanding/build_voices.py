"""Cuts the voices into words and tokens, once, for `read_once`: `python -m bot.understanding.build_voices`."""

from bot.understanding import read_once
from bot.understanding.voices import read_voices
from knowledge_base.embedding import BUNDLED, StaticEmbedder

if __name__ == "__main__":
    read_once.keep([voice.text for voice in read_voices()], StaticEmbedder(BUNDLED))
