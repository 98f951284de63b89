"""The pages. Gradio lives only here and in app.py; nothing below imports this package."""
