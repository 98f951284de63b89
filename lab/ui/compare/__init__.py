"""The pieces of the Compare page: columns, the merge of their streams, engines, choices of models."""
