# Only the last slot is counted.
# noticed by: the bytes are the sum of all slots
s/bytes += ring_slot/bytes = ring_slot/
