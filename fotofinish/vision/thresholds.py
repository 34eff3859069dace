"""What faces must be to count, and to count as one person's: known without loading the models."""

# cosine from which two faces count as one person's: 1 false match in 10,000 comparisons on LFW
# (docs/models.md), where 98 % of the true pairs still pass
DEFAULT_MATCH_THRESHOLD = 0.42

# from which quality on (0 to 1) a face has an embedding: worse ones match strangers as bad as they
MIN_QUALITY = 0.25
