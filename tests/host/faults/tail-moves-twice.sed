# Draining one slot moves tail over two.
# noticed by: draining a slot moves tail by one
s/ring_tail(at) + 1);/ring_tail(at) + 2);/
