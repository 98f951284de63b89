"""What the Models page is made of: the list of variants, one variant whole, its export."""
