# A move stops early when head has wrapped round.
# noticed by: a move loses no bytes, no page, and doubles none
s/for (i = ring_tail(at); i != ring_head(at); i++) {/for (i = ring_tail(at); i < ring_head(at); i++) {/
