"""Synthesis: from exam questions and texts to verified reasoning data, with any teacher that can be reached."""
