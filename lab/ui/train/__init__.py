"""What the Train page is made of: the study's form, the preview of its grid, launching, and a dataset of one's own."""
