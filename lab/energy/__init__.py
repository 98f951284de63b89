"""How much energy a job used, and how much CO2 that is: meters in the job's process, an account of what they read."""
