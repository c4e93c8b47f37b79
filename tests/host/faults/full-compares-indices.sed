# Indices are compared, not subtracted: wrong once head has wrapped round.
# noticed by: full and empty are told apart across the wrap
s/return ring_used(indices) >= nr;/return ring_head(indices) >= ring_tail(indices) + nr;/
