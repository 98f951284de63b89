"""What the home page shows: what runs now, the newest result at a glance, what ended lately, where to start."""
