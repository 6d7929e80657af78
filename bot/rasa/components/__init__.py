"""Our parts of the Rasa server: tokenizer, circumstances, wording, channel and tracker store."""
