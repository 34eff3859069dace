"""From which similarity on two faces are one person's: known without loading the models."""

# cosine from which two faces count as one person's: 1 false match in 10,000 comparisons on LFW
# (docs/models.md), where 98 % of the true pairs still pass
DEFAULT_MATCH_THRESHOLD = 0.42
