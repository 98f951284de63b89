"""Trace Lab's headless part: no store, and (below `lab.ui`) no Gradio."""
