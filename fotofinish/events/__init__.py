"""Events of an organisation, their switches, and their start lists."""
