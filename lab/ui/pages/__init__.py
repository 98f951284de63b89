"""One file a page. A module with a `PAGE` appears in the navigation by itself."""
