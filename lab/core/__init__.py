"""The ground floor: Spec, Task, Context, Registry, errors and plain types. Imports nothing above it."""
