"""Training examples: SQuAD files, hard negatives, altered questions, and token features."""
