# A ring counts as full only with one slot more than it has.
# noticed by: full and empty are told apart across the wrap
s/return ring_used(indices) >= nr;/return ring_used(indices) > nr;/
