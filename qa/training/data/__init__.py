"""Training examples: SQuAD files and labelled documents, hard negatives, edits of questions, and token features."""
