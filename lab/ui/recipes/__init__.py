"""What the Recipes page is made of: the shelf of recipes, a recipe's text, its form, and where it goes on from."""
