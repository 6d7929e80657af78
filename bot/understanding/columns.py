"""Where the fields stand in every table of probabilities: in the vocabulary's order."""

from knowledge_base.vocabulary import vocabulary

FIELDS = tuple(vocabulary().fields)
ABUSE, CARER, ELDERLY, SUICIDE = (FIELDS.index(name) for name in ("abuse", "carer", "elderly", "suicide"))
